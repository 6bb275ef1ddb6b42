/**
 * Numbers as a reader of a report card wants them. What is absent or not finite is a dash: a
 * report never shows NaN.
 */
import type { EvalRow } from "../eval/report.ts";

export const ABSENT = "–";

const MINUTE = 60;
const HOUR = 3600;
const MILLION = 1e6;

type Value = number | null | undefined;

export function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** @returns a number that JSON can hold, or null */
export function finiteOrNull(value: unknown): number | null {
  return isNumber(value) ? value : null;
}

export function formatCount(value: Value): string {
  if (!isNumber(value)) return ABSENT;
  if (value >= MILLION) return `${Number((value / MILLION).toPrecision(3))} million`;
  return Math.round(value).toLocaleString("en-US");
}

/** 1.23e+15, as FLOPs are. */
export function formatPower(value: Value): string {
  return isNumber(value) ? value.toExponential(2).replace("e+", "e") : ABSENT;
}

export function formatPercent(value: Value): string {
  return isNumber(value) ? `${(100 * value).toFixed(1)} %` : ABSENT;
}

/** 8.3 s, 3 min 31 s, 2 h 5 min */
export function formatSeconds(value: Value): string {
  if (!isNumber(value)) return ABSENT;
  if (value < MINUTE) return `${Number(value.toFixed(1))} s`;
  const whole = Math.round(value);
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min ${whole % MINUTE} s`;
  const minutes = Math.round(value / MINUTE);
  return `${Math.floor(minutes / MINUTE)} h ${minutes % MINUTE} min`;
}

const digits: Readonly<Record<EvalRow["unit"], (value: number) => string>> = {
  share: (value) => value.toFixed(3),
  "bits/byte": (value) => value.toFixed(3),
  perplexity: (value) => value.toFixed(1),
  reward: (value) => value.toFixed(2),
};

export function formatValue(value: Value, unit: EvalRow["unit"]): string {
  return isNumber(value) ? digits[unit](value) : ABSENT;
}

/** [0.912, 0.954] */
export function formatInterval(low: Value, high: Value, unit: EvalRow["unit"] = "share"): string {
  return `[${formatValue(low, unit)}, ${formatValue(high, unit)}]`;
}
