/**
 * How the tokens of samples are averaged: the weight of each token of a sample, and how many units
 * the sample adds to the number that the summed loss is divided by.
 */

export type LossType = "grpo" | "dr_grpo" | "dapo";

export interface LossWeight {
  readonly token: number;
  readonly units: number;
}

/** @param count tokens that the policy chose in this sample, at least 1 */
type Rule = (count: number, maxTokens: number) => LossWeight;

const rules: Readonly<Record<LossType, Rule>> = {
  /** The mean over samples of each one's mean: tokens of long samples count less. */
  grpo: (count) => ({ token: 1 / count, units: 1 }),
  /** Sums divided by a constant: no bias towards any length. @see Liu et al. 2025 */
  dr_grpo: (_, maxTokens) => ({ token: 1 / maxTokens, units: 1 }),
  /** The mean over all tokens; over one batch it is also `bnpo`. @see Yu et al. 2025 (DAPO) */
  dapo: (count) => ({ token: 1, units: count }),
};

export function lossWeight(type: LossType, count: number, maxTokens: number): LossWeight {
  return count === 0 ? { token: 0, units: 0 } : rules[type](count, maxTokens);
}
