/**
 * Numbers within bounds as text. A bound of the schema is an f64 and so is what a reader makes of
 * the text; rounding never changes an order, so an inclusive bound holds after it when it holds
 * for the decimals. An exclusive one needs decimals that f64 tells apart: 15 digits are.
 */
import { type DecimalBound, decimalsBetween } from "./digit-range.ts";
import { choice, type Expression, literal, nothing, sequence } from "./expression.ts";
import { anyInteger, anyNumber } from "./json-text.ts";

export interface Bound {
  readonly value: number;
  readonly inclusive: boolean;
}

export interface NumberRange {
  readonly low?: Bound | undefined;
  readonly high?: Bound | undefined;
}

/** Decimal digits that f64 keeps apart. */
const EXACT_DIGITS = 15;
const WHOLE_DIGITS = 20;

/** @returns undefined when an exclusive bound has more digits than f64 tells apart */
export function numbersBetween(range: NumberRange, whole: boolean): Expression | undefined {
  if (!range.low && !range.high) return whole ? anyInteger : anyNumber;
  const exclusive = [range.low, range.high].filter((bound) => bound && !bound.inclusive);
  const decimals = exclusive.map((bound) => decimalOf(bound as Bound));
  const digits = decimals.reduce((most, { whole: w }) => Math.max(most, w.length), 1);
  const fractionDigits = Math.max(EXACT_DIGITS - digits, 0);
  if (digits > EXACT_DIGITS && exclusive.some((b) => Math.abs((b as Bound).value) > 2 ** 53))
    return undefined;
  if (!whole && decimals.some(({ fraction }) => fraction.length > fractionDigits)) return undefined;
  return choice(...signed(range, whole ? 0 : fractionDigits));
}

function signed({ low, high }: NumberRange, fractionDigits: number): Expression[] {
  const between = (from: DecimalBound, to: Bound | undefined): Expression =>
    decimalsBetween({
      low: from,
      high: to && decimalOf(to),
      wholeDigits: WHOLE_DIGITS,
      fractionDigits,
    });
  const negatives = low && low.value >= 0 ? nothing : between(fromZero(high, false), low);
  const positives = high && high.value < 0 ? nothing : between(fromZero(low, true), high);
  return [positives, sequence(literal("-"), negatives)];
}

/** The bound nearer to zero; zero itself belongs to the positive side. */
function fromZero(bound: Bound | undefined, positive: boolean): DecimalBound {
  const beyond = bound && (positive ? bound.value > 0 : bound.value < 0);
  if (beyond) return decimalOf(bound);
  const inclusive = positive && !(bound?.value === 0 && !bound.inclusive);
  return { whole: "0", fraction: "", inclusive };
}

/** Of the absolute value; whole numbers with all their digits, others in the shortest text. */
function decimalOf({ value, inclusive }: Bound): DecimalBound {
  if (Number.isInteger(value))
    return { whole: BigInt(Math.abs(value)).toString(), fraction: "", inclusive };
  const [mantissa = "", exponent = "0"] = Math.abs(value).toString().split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  const shift = Number(exponent);
  const all = `${"0".repeat(Math.max(-shift, 0))}${whole}${fraction}${"0".repeat(Math.max(shift, 0))}`;
  const point = whole.length + Math.max(-shift, 0) + shift;
  return {
    whole: all.slice(0, point).replace(/^0+(?=\d)/, ""),
    fraction: all.slice(point).replace(/0+$/, ""),
    inclusive,
  };
}
