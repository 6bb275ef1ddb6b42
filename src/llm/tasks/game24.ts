/**
 * The game of 24: four numbers, each used exactly once with + - * / and parentheses, must make 24.
 * Checked by the calculator's exact fractions; solved by trying all pairs first.
 */
import { calculator } from "../chat/tools/calculator.ts";
import { plainContext } from "./define-task.ts";

const TARGET = 24;
const ALLOWED = /^[\d\s+\-*/()]+$/;

/** @returns true when the expression uses exactly these numbers and its value is 24 */
export function makes24(expression: string, numbers: readonly number[]): boolean {
  if (!ALLOWED.test(expression)) return false;
  const used = (expression.match(/\d+/g) ?? []).map(Number);
  if (sorted(used).join() !== sorted(numbers).join()) return false;
  return calculator.run({ expression }, plainContext) === String(TARGET);
}

const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

interface Part {
  readonly value: number;
  readonly text: string;
}

/** @returns an expression that makes 24, undefined when there is none */
export function solve24(numbers: readonly number[]): string | undefined {
  const text = solveParts(numbers.map((value) => ({ value, text: String(value) })));
  // Outermost parentheses say nothing.
  return text?.replace(/^\((.*)\)$/s, "$1");
}

function solveParts(parts: readonly Part[]): string | undefined {
  const [first] = parts;
  if (parts.length === 1) return isTarget(first as Part) ? first?.text : undefined;
  for (const [i, a] of parts.entries()) {
    for (const [j, b] of parts.entries()) {
      if (i === j) continue;
      const rest = parts.filter((_, k) => k !== i && k !== j);
      for (const joined of join(a, b)) {
        const found = solveParts([...rest, joined]);
        if (found !== undefined) return found;
      }
    }
  }
  return undefined;
}

function isTarget({ value }: Part): boolean {
  return Math.abs(value - TARGET) < 1e-9;
}

function join(a: Part, b: Part): Part[] {
  const parts = [
    { value: a.value + b.value, text: `(${a.text} + ${b.text})` },
    { value: a.value - b.value, text: `(${a.text} - ${b.text})` },
    { value: a.value * b.value, text: `(${a.text} * ${b.text})` },
  ];
  if (b.value !== 0) parts.push({ value: a.value / b.value, text: `(${a.text} / ${b.text})` });
  return parts;
}
