/**
 * Advantages of the samples of one prompt, from their rewards alone: how much better than its
 * siblings each one was. A group whose rewards are all equal teaches nothing: exactly zero.
 */

export type GroupBaseline = "mean" | "standard" | "leave-one-out";

const rules: Readonly<Record<GroupBaseline, (rewards: readonly number[]) => number[]>> = {
  /** r - mean. @see Liu et al. 2025 (Dr. GRPO); nanochat */
  mean: (rewards) => {
    const centre = mean(rewards);
    return rewards.map((reward) => reward - centre);
  },
  /** (r - mean) / std, the sample's std (n - 1). @see Shao et al. 2024 (GRPO) */
  standard: (rewards) => {
    const centre = mean(rewards);
    const spread = rewards.reduce((sum, reward) => sum + (reward - centre) ** 2, 0);
    const std = Math.sqrt(spread / (rewards.length - 1));
    return rewards.map((reward) => (reward - centre) / (std + 1e-4));
  },
  /** r - mean of the others. @see Kool et al. 2019; Ahmadian et al. 2024 (RLOO) */
  "leave-one-out": (rewards) => {
    const total = rewards.reduce((sum, reward) => sum + reward, 0);
    return rewards.map((reward) => reward - (total - reward) / (rewards.length - 1));
  },
};

/** @param rewards of one prompt's samples; one sample alone has nothing to be compared with */
export function groupAdvantages(rewards: readonly number[], baseline: GroupBaseline): number[] {
  return hasNoSpread(rewards) ? rewards.map(() => 0) : rules[baseline](rewards);
}

export function hasNoSpread(rewards: readonly number[]): boolean {
  return rewards.every((reward) => reward === rewards[0]);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
