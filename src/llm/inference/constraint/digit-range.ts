/**
 * Decimal numbers between two bounds, exactly, digit by digit. As long as the digits equal those of
 * a bound the bound holds on ("tight"); at the first that differs it is decided for good. Bounds
 * are compared as decimals; rounding to f64 keeps their order, see `number-text.ts`.
 */
import {
  byteRange,
  choice,
  type Expression,
  empty,
  literal,
  nothing,
  oneByte,
  optional,
  repeat,
  sequence,
} from "./expression.ts";

/** A decimal of 0 or more. */
export interface DecimalBound {
  /** No zero in front but "0" itself. */
  readonly whole: string;
  /** No zero at the end. */
  readonly fraction: string;
  /** The bound itself is inside. */
  readonly inclusive: boolean;
}

export interface DecimalRange {
  readonly low: DecimalBound;
  /** Absent: as far as the digits go. */
  readonly high: DecimalBound | undefined;
  /** At most. */
  readonly wholeDigits: number;
  readonly fractionDigits: number;
}

type Tight = readonly [low: boolean, high: boolean];

export function decimalsBetween(range: DecimalRange): Expression {
  const { low, high, wholeDigits } = range;
  const least = low.whole.length;
  const most = high?.whole.length;
  if (least === most) return wholeFrom(range, 0, least, [true, true]);
  const longest = most === undefined ? Math.max(wholeDigits, least) : most - 1;
  return choice(
    most === undefined || least < most ? wholeFrom(range, 0, least, [true, false]) : nothing,
    longer(range, least + 1, longest),
    most !== undefined && least < most ? wholeFrom(range, 0, most, [false, true]) : nothing,
  );
}

/** Any number with so many digits before the point. */
function longer(range: DecimalRange, least: number, most: number): Expression {
  const rest = repeat(digits(0, 9), least - 1, most - 1);
  return sequence(digits(1, 9), rest, fractionFrom(range, 0, [false, false]));
}

const digits = (first: number, last: number): Expression =>
  first > last ? nothing : oneByte(byteRange(0x30 + first, 0x30 + last));

function wholeFrom(range: DecimalRange, at: number, length: number, tight: Tight): Expression {
  if (at === length) return fractionFrom(range, 0, tight);
  if (at > 0 && !tight[0] && !tight[1])
    return sequence(
      repeat(digits(0, 9), length - at, length - at),
      fractionFrom(range, 0, [false, false]),
    );
  const least = at === 0 && length > 1 ? 1 : 0;
  const low = tight[0] ? Number(range.low.whole[at]) : least;
  const high = tight[1] ? Number(range.high?.whole[at]) : 9;
  return oneDigit(low, high, tight, (next) => wholeFrom(range, at + 1, length, next));
}

/** The lowest digit keeps the low bound tight, the highest the high one, others neither. */
function oneDigit(
  low: number,
  high: number,
  [tightLow, tightHigh]: Tight,
  rest: (tight: Tight) => Expression,
): Expression {
  if (low > high) return nothing;
  if (low === high) return sequence(digits(low, low), rest([tightLow, tightHigh]));
  const first = tightLow ? low + 1 : low;
  const last = tightHigh ? high - 1 : high;
  return choice(
    tightLow ? sequence(digits(low, low), rest([true, false])) : nothing,
    first > last ? nothing : sequence(digits(first, last), rest([false, false])),
    tightHigh ? sequence(digits(high, high), rest([false, true])) : nothing,
  );
}

function fractionFrom(range: DecimalRange, at: number, tight: Tight): Expression {
  const point = at === 0 ? literal(".") : empty;
  const left = range.fractionDigits - at;
  if (!tight[0] && !tight[1])
    return left > 0 ? optional(sequence(point, repeat(digits(0, 9), 1, left))) : empty;
  const stop = mayStop(range, at, tight) ? empty : nothing;
  if (left <= 0) return stop;
  const low = tight[0] ? Number(range.low.fraction[at] ?? 0) : 0;
  const high = tight[1] ? Number(range.high?.fraction[at] ?? 0) : 9;
  const on = oneDigit(low, high, tight, (next) => fractionFrom(range, at + 1, next));
  return choice(stop, sequence(point, on));
}

/** Whether what is written so far, with nothing behind, lies between the bounds. */
function mayStop({ low, high }: DecimalRange, at: number, tight: Tight): boolean {
  const aboveLow = !tight[0] || (low.fraction.length <= at && low.inclusive);
  const belowHigh = !tight[1] || !high || high.fraction.length > at || high.inclusive;
  return aboveLow && belowHigh;
}
