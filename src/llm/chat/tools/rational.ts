/**
 * Exact fractions. Invariant: lowest terms, a positive denominator, and at most MAX_DIGITS digits
 * above and below the line, so that no expression can take long or fill the memory.
 */

export interface Rational {
  readonly above: bigint;
  readonly below: bigint;
}

/** What is wrong with an expression, in words for whoever wrote it. */
export class ArithmeticError extends Error {}

export const MAX_DIGITS = 200;
const LIMIT = 10n ** BigInt(MAX_DIGITS);
/** Of a value whose decimals do not end, or do so too late. */
const SIGNIFICANT = 12;
const MAX_DECIMALS = 20;

/** @throws ArithmeticError for a zero below the line, or more than MAX_DIGITS digits */
export function toRational(above: bigint, below = 1n): Rational {
  if (below === 0n) throw new ArithmeticError("division by zero");
  const divisor = greatestDivisor(magnitude(above), magnitude(below)) * (below < 0n ? -1n : 1n);
  const reduced = { above: above / divisor, below: below / divisor };
  if (magnitude(reduced.above) >= LIMIT || reduced.below >= LIMIT) throw tooLong();
  return reduced;
}

export const add = (a: Rational, b: Rational): Rational =>
  toRational(a.above * b.below + b.above * a.below, a.below * b.below);

export const subtract = (a: Rational, b: Rational): Rational => add(a, negate(b));

export const multiply = (a: Rational, b: Rational): Rational =>
  toRational(a.above * b.above, a.below * b.below);

export const divide = (a: Rational, b: Rational): Rational =>
  toRational(a.above * b.below, a.below * b.above);

export const negate = ({ above, below }: Rational): Rational => ({ above: -above, below });

/**
 * Whole exponents only; 0^0 = 1.
 * @throws ArithmeticError before it computes anything of more than MAX_DIGITS digits
 */
export function power(base: Rational, { above, below }: Rational): Rational {
  if (below !== 1n) throw new ArithmeticError("an exponent must be a whole number");
  const { above: up, below: down } = above < 0n ? inverse(base) : base;
  const times = smallEnough(up, down, magnitude(above));
  return toRational(up ** times, down ** times);
}

/** The exponent itself, or one that gives the same power of 0, 1 and -1. */
function smallEnough(up: bigint, down: bigint, times: bigint): bigint {
  const larger = magnitude(up) > down ? magnitude(up) : down;
  if (larger === 1n) return times === 0n ? 0n : 2n - (times % 2n);
  const leastBits = BigInt(larger.toString(2).length - 1);
  if (leastBits * times >= BigInt(LIMIT.toString(2).length)) throw tooLong();
  return times;
}

function inverse({ above, below }: Rational): Rational {
  return toRational(below, above);
}

/**
 * An integer; a decimal when it ends within 20 places; else 12 significant digits, rounded half
 * away from zero, as 0.333333333333 or 1.23456789012e-9.
 */
export function renderRational({ above, below }: Rational): string {
  const sign = above < 0n ? "-" : "";
  const size = magnitude(above);
  if (below === 1n) return `${sign}${size}`;
  const places = decimalPlaces(below);
  if (places !== undefined) return sign + withPoint((size * 10n ** BigInt(places)) / below, places);
  return sign + renderRounded(size, below);
}

/** Decimals where they end, else a fraction: always the number itself. */
export function renderExact(number: Rational): string {
  const { above, below } = number;
  const ends = below === 1n || decimalPlaces(below) !== undefined;
  return ends ? renderRational(number) : `${above}/${below}`;
}

/** @returns the fewest decimals that write 1/below exactly, when they are MAX_DECIMALS or fewer */
function decimalPlaces(below: bigint): number | undefined {
  for (let places = 1; places <= MAX_DECIMALS; places++)
    if (10n ** BigInt(places) % below === 0n) return places;
  return undefined;
}

/** The last `places` digits behind the point, without zeros at the end. */
function withPoint(digits: bigint, places: number): string {
  const text = `${digits}`.padStart(places + 1, "0");
  const point = text.length - places;
  return `${text.slice(0, point)}.${text.slice(point)}`.replace(/\.?0*$/, "");
}

function renderRounded(above: bigint, below: bigint): string {
  // 10^exponent <= above/below; the lengths say it, give or take one.
  let exponent = `${above}`.length - `${below}`.length;
  if (scaled(above, below, -exponent) < 1n) exponent--;
  let digits = rounded(above, below, SIGNIFICANT - 1 - exponent);
  if (digits >= 10n ** BigInt(SIGNIFICANT)) {
    exponent++;
    digits /= 10n;
  }
  const places = SIGNIFICANT - 1 - exponent;
  if (exponent >= -6 && places > 0) return withPoint(digits, places);
  return `${withPoint(digits, SIGNIFICANT - 1)}e${exponent}`;
}

/** floor(above / below * 10^shift) */
function scaled(above: bigint, below: bigint, shift: number): bigint {
  const factor = 10n ** BigInt(Math.abs(shift));
  return shift >= 0 ? (above * factor) / below : above / (below * factor);
}

/** The same, rounded half up: one more binary digit decides. */
function rounded(above: bigint, below: bigint, shift: number): bigint {
  return (scaled(2n * above, below, shift) + 1n) / 2n;
}

function greatestDivisor(a: bigint, b: bigint): bigint {
  let [larger, smaller] = [a, b];
  while (smaller !== 0n) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function tooLong(): ArithmeticError {
  return new ArithmeticError(`a number of more than ${MAX_DIGITS} digits`);
}
