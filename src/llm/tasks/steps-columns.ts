/**
 * Arithmetic written out by columns, from the last digit to the first, so that every step is a fact
 * about single digits and every digit is a token of its own:
 *
 *     4 7 8 + 2 5 6
 *     8+6+0=14: 4 carry 1
 *     7+5+1=13: 3 carry 1
 *     4+2+1=7: 7 carry 0
 *     0 7 3 4
 *     Answer: 734
 *
 * The line before the answer starts with the last carry. Both numbers have as many digits: the
 * shorter one starts with zeros.
 */
import { type Expression, resultOf } from "./arithmetic.ts";

/** One column: its line without the line break, the digit it leaves, what it carries. */
interface Column {
  readonly line: string;
  readonly digit: number;
  readonly carry: number;
}

type ColumnRule = (a: number, b: number, carry: number) => Column;

const rules: Readonly<Record<"+" | "-" | "*", ColumnRule>> = {
  "+": (a, b, carry) => {
    const sum = a + b + carry;
    return column(`${a}+${b}+${carry}=${sum}`, sum % 10, sum >= 10 ? 1 : 0);
  },
  "-": (a, b, carry) => {
    const rest = a - b - carry;
    return column(`${a}-${b}-${carry}=${rest}`, (rest + 10) % 10, rest < 0 ? 1 : 0);
  },
  "*": (a, b, carry) => {
    const product = a * b + carry;
    return column(`${a}*${b}+${carry}=${product}`, product % 10, Math.floor(product / 10));
  },
};

function column(sum: string, digit: number, carry: number): Column {
  return { line: `${sum}: ${digit} carry ${carry}`, digit, carry };
}

/** @param expression a sum, a difference of at least 0, or a product whose right side is a digit */
export function writeColumns(expression: Expression): string {
  const { left, operator, right } = expression;
  if (operator === "/") throw new Error("steps: a division has no columns");
  const width = operator === "*" ? String(left).length : longest(left, right);
  const top = digitsOf(left, width);
  const bottom = operator === "*" ? top.map(() => right) : digitsOf(right, width);
  const lines = [`${top.join(" ")} ${operator} ${digitsOf(right, bottomWidth()).join(" ")}`];
  const result: number[] = [];
  let carry = 0;
  for (let at = width - 1; at >= 0; at--) {
    const step = rules[operator](top[at] as number, bottom[at] as number, carry);
    lines.push(step.line);
    result.unshift(step.digit);
    carry = step.carry;
  }
  lines.push([carry, ...result].join(" "), `Answer: ${resultOf(expression)}`);
  return lines.join("\n");

  function bottomWidth(): number {
    return operator === "*" ? 1 : width;
  }
}

function longest(left: number, right: number): number {
  return Math.max(String(left).length, String(right).length);
}

function digitsOf(number: number, width: number): number[] {
  return Array.from(String(number).padStart(width, "0"), Number);
}
