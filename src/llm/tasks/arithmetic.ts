/**
 * Expressions of whole numbers for the arithmetic tasks, and the ways to write one. The key is
 * `24*78`, the smaller operand of a sum or product first, so that one fact is one problem whoever
 * asks it: with the calculator, step by step, or at once.
 */
import type { Draw } from "./draw.ts";

export type Operator = "+" | "-" | "*" | "/";

export interface Expression {
  readonly left: number;
  readonly operator: Operator;
  readonly right: number;
}

/** Two numbers of digits, and which operators may stand between them. */
export interface ArithmeticRange {
  /** Fewest and most digits of an operand. */
  readonly digits: readonly [number, number];
  readonly operators: readonly Operator[];
}

/** How a sign is written in a question, plain characters more than once. */
const signs: Readonly<Record<Operator, readonly string[]>> = {
  "+": [" + ", " + ", "+", " plus "],
  "-": [" - ", " - ", "-", " minus "],
  "*": [" * ", "*", " × ", " × ", " x ", " times "],
  "/": [" / ", "/", " ÷ ", " ÷ ", " divided by "],
};

const printed: Readonly<Record<Operator, string>> = { "+": "+", "-": "-", "*": "×", "/": "÷" };

/** @returns a number of exactly so many digits; with one digit at least 2 */
export function drawNumber(draw: Draw, digits: number): number {
  return draw.between(digits === 1 ? 2 : 10 ** (digits - 1), 10 ** digits - 1);
}

/** A subtraction never goes below zero; a division comes out whole. */
export function drawExpression(draw: Draw, { digits, operators }: ArithmeticRange): Expression {
  const operator = draw.choose(operators);
  const a = drawNumber(draw, draw.between(...digits));
  const b = drawNumber(draw, draw.between(...digits));
  if (operator === "-") return { left: Math.max(a, b), operator, right: Math.min(a, b) };
  if (operator === "/") return drawDivision(a, b);
  return { left: a, operator, right: b };
}

/** The larger one, lowered to a multiple of the smaller. */
function drawDivision(a: number, b: number): Expression {
  const right = Math.min(a, b);
  return { left: Math.max(a, b) - (Math.max(a, b) % right), operator: "/", right };
}

export function resultOf({ left, operator, right }: Expression): number {
  if (operator === "+") return left + right;
  if (operator === "-") return left - right;
  return operator === "*" ? left * right : left / right;
}

export function keyOf({ left, operator, right }: Expression): string {
  const isOrdered = operator === "-" || operator === "/" || left <= right;
  return isOrdered ? `${left}${operator}${right}` : `${right}${operator}${left}`;
}

/** @returns as a calculator reads it: `24*78` */
export function toCode({ left, operator, right }: Expression): string {
  return `${left}${operator}${right}`;
}

/** @returns as an answer shows it: `24 × 78` */
export function toPrint({ left, operator, right }: Expression): string {
  return `${left} ${printed[operator]} ${right}`;
}

/** @returns as a question may spell it: `24 × 78`, `24*78`, `24 times 78` … */
export function toQuestion(draw: Draw, { left, operator, right }: Expression): string {
  return `${left}${draw.choose(signs[operator])}${right}`;
}
