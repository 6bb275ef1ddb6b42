/**
 * Numbers with their errors: means over prompts, since replies to one prompt are not independent,
 * and what the best of n replies is worth on average.
 */
import { Z } from "../../src/llm/run/wilson.ts";

export interface Estimate {
  readonly mean: number;
  /** Standard error of the mean. */
  readonly se: number;
}

/** @param values one a prompt, at least one */
export function estimate(values: readonly number[]): Estimate {
  const n = values.length;
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, se: n < 2 ? 0 : Math.sqrt(squares / (n - 1) / n) };
}

/** @param values at least one */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation of a sample. */
export function deviation(values: readonly number[]): number {
  return estimate(values).se * Math.sqrt(values.length);
}

/** Half of the 95 % interval of a difference of independent estimates. */
export function errorOfDifference(a: Estimate, b: Estimate): number {
  return Z * Math.hypot(a.se, b.se);
}

/** KL of best-of-n from the policy that is sampled, in nats. @see Stiennon et al. 2020 */
export function bestOfNKl(n: number): number {
  return Math.log(n) - (n - 1) / n;
}

/**
 * E[value of the best of n], without bias, from m ≥ n replies to one prompt: every subset of n is
 * equally likely, and reply i of the order by score is the best of C(i-1, n-1) of all C(m, n).
 *
 * @param scores what is maximised  @param values what is measured, of the same replies
 * @see Nakano et al. 2021 (WebGPT), appendix I
 */
export function bestOfN(scores: readonly number[], values: readonly number[], n: number): number {
  const order = [...scores.keys()].sort((a, b) => (scores[a] as number) - (scores[b] as number));
  let share = n / order.length;
  let sum = 0;
  for (let i = order.length; i >= n; i--) {
    sum += share * (values[order[i - 1] as number] as number);
    share *= i === n ? 0 : (i - n) / (i - 1);
  }
  return sum;
}
