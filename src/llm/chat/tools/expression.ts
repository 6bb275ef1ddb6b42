/**
 * Arithmetic as people write it, by recursive descent:
 *
 *     sum     = product { ("+" | "-") product }
 *     product = signed { ("*" | "/") signed }
 *     signed  = { "-" | "+" } power
 *     power   = atom [ "^" signed ]                  2^3^2 = 2^9, -2^2 = -4, 2^-1 = 0.5
 *     atom    = digits [ "." digits ] | "." digits | "(" sum ")"
 *
 * × · ÷ − are read as * * / -. Length is bounded, and with it the depth.
 */
import {
  ArithmeticError,
  add,
  divide,
  MAX_DIGITS,
  multiply,
  negate,
  power,
  type Rational,
  subtract,
  toRational,
} from "./rational.ts";

const MAX_LENGTH = 300;

type Operator = (a: Rational, b: Rational) => Rational;

const SUMS: ReadonlyMap<string, Operator> = new Map([
  ["+", add],
  ["-", subtract],
]);
const PRODUCTS: ReadonlyMap<string, Operator> = new Map([
  ["*", multiply],
  ["/", divide],
]);
const SPELLINGS: Readonly<Record<string, string>> = { "×": "*", "·": "*", "÷": "/", "−": "-" };

/** @throws ArithmeticError saying what is wrong and where */
export function evaluateExpression(text: string): Rational {
  if (text.length > MAX_LENGTH)
    throw new ArithmeticError(`an expression of more than ${MAX_LENGTH} characters`);
  const cursor = new Cursor(text.replace(/[×·÷−]/g, (sign) => SPELLINGS[sign] ?? sign));
  const value = readSum(cursor);
  if (cursor.peek() !== "") throw cursor.expected("an operator");
  return value;
}

/** The place in the text, always in front of something that is not a space. */
class Cursor {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.take(SPACES);
  }

  /** "" at the end. */
  peek(): string {
    return this.#text.charAt(this.#at);
  }

  /** @param pattern sticky  @returns what matched here, "" when nothing did */
  take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    if (found !== "" && pattern !== SPACES) this.take(SPACES);
    return found;
  }

  expected(what: string): ArithmeticError {
    const [character = ""] = this.#text.slice(this.#at);
    const got = character === "" ? "the end" : JSON.stringify(character);
    return new ArithmeticError(`expected ${what} at character ${this.#at + 1}, got ${got}`);
  }
}

const SPACES = /\s+/y;

function readSum(cursor: Cursor): Rational {
  return readChain(cursor, SUMS, readProduct);
}

function readProduct(cursor: Cursor): Rational {
  return readChain(cursor, PRODUCTS, readSigned);
}

/** From left to right. */
function readChain(
  cursor: Cursor,
  operators: ReadonlyMap<string, Operator>,
  readOperand: (cursor: Cursor) => Rational,
): Rational {
  let value = readOperand(cursor);
  for (;;) {
    const operator = operators.get(cursor.peek());
    if (operator === undefined) return value;
    cursor.take(/./y);
    value = operator(value, readOperand(cursor));
  }
}

function readSigned(cursor: Cursor): Rational {
  const sign = cursor.take(/[-+]/y);
  if (sign === "") return readPower(cursor);
  const value = readSigned(cursor);
  return sign === "-" ? negate(value) : value;
}

function readPower(cursor: Cursor): Rational {
  const base = readAtom(cursor);
  return cursor.take(/\^/y) === "" ? base : power(base, readSigned(cursor));
}

function readAtom(cursor: Cursor): Rational {
  if (cursor.take(/\(/y) === "") return readNumber(cursor);
  const value = readSum(cursor);
  if (cursor.take(/\)/y) === "") throw cursor.expected('an operator or ")"');
  return value;
}

function readNumber(cursor: Cursor): Rational {
  const text = cursor.take(/\d+(\.\d*)?|\.\d+/y);
  if (text === "") throw cursor.expected("a number");
  const [whole = "", decimals = ""] = text.split(".");
  if (text.length > MAX_DIGITS)
    throw new ArithmeticError(`a number of more than ${MAX_DIGITS} digits`);
  return toRational(BigInt(whole + decimals), 10n ** BigInt(decimals.length));
}
