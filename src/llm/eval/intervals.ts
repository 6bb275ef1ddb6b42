/**
 * Error bars of 95 %. Shares of right and wrong have Wilson's interval, which stays inside [0, 1]
 * and is honest at 0 and 1. Everything else (means of graded replies, ratios over texts) has the
 * percentile bootstrap: what was measured is drawn again with replacement, a group at a time, since
 * what belongs to one prompt or text is not independent.
 *
 * @see Wilson 1927; Efron 1979
 */
import { fillUniform } from "../../compute/philox.ts";
import { wilson as wilsonShare } from "../run/wilson.ts";
import type { IntervalKind } from "./report.ts";

export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Independent things behind the value. */
  readonly n: number;
  readonly interval: IntervalKind;
}

/** One prompt or text: what it adds to the numerator and to the denominator. */
export interface Group {
  readonly sum: number;
  readonly count: number;
}

const RESAMPLES = 1000;
/** Philox streams of the bootstrap, one a resample. */
const STREAM = 0x62737470;

/** @param successes may hold halves: ties  @param n at least 1 */
export function wilson(successes: number, n: number): Estimate {
  requireSome(n);
  return { ...wilsonShare(successes, n), interval: "wilson" };
}

/** Σ sum / Σ count, with an interval over the groups. @param groups at least 1, Σ count > 0 */
export function bootstrap(groups: readonly Group[], seed: number): Estimate {
  const n = groups.length;
  requireSome(n);
  const uniforms = new Float64Array(n);
  const ratios = Array.from({ length: RESAMPLES }, (_, resample) => {
    fillUniform(uniforms, seed, STREAM + resample);
    return ratio(groups, (i) => Math.floor((uniforms[i] as number) * n));
  });
  ratios.sort((a, b) => a - b);
  const low = ratios[Math.floor(0.025 * RESAMPLES)] as number;
  const high = ratios[Math.ceil(0.975 * RESAMPLES) - 1] as number;
  return { value: ratio(groups, (i) => i), low, high, n, interval: "bootstrap" };
}

/** A resample without anything to count tells nothing: it counts as the whole. */
function ratio(groups: readonly Group[], pick: (i: number) => number): number {
  let [sum, count] = [0, 0];
  for (let i = 0; i < groups.length; i++) {
    const group = groups[pick(i)] as Group;
    sum += group.sum;
    count += group.count;
  }
  return count === 0 ? ratio(groups, (i) => i) : sum / count;
}

/** The mean of rates in [0, 1], one a problem: Wilson's where all are 0 or 1. */
export function meanRate(rates: readonly number[], seed: number): Estimate {
  const sum = rates.reduce((total, rate) => total + rate, 0);
  if (rates.every((rate) => rate === 0 || rate === 1)) return wilson(sum, rates.length);
  return mean(rates, seed);
}

export function mean(values: readonly number[], seed: number): Estimate {
  return bootstrap(
    values.map((sum) => ({ sum, count: 1 })),
    seed,
  );
}

function requireSome(n: number): void {
  if (!(n >= 1)) throw new Error(`an estimate is of one thing or more, got ${n}`);
}
