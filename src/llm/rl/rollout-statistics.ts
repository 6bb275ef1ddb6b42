/** A step's rollouts in numbers, and what in them a person should be told of. */
import { hasNoSpread } from "./advantages/groups.ts";
import type { ScoredGroup } from "./rewards.ts";
import { type Rollout, sampledCount } from "./rollout.ts";

export interface RolloutStatistics {
  readonly rollouts: number;
  readonly reward: number;
  readonly rewardStd: number;
  /** Mean grade of the program: pass@1 on the training side. */
  readonly grade: number;
  /** Sampled tokens of a reply. */
  readonly length: number;
  /** Mean over sampled tokens, in nats. */
  readonly entropy: number;
  readonly sampledTokens: number;
  /** Shares of replies: not ended, not well-formed. */
  readonly truncated: number;
  readonly malformed: number;
  /** Share of prompts whose replies were all rewarded alike. */
  readonly zeroVariance: number;
}

/** All 0 where nothing was rolled out. */
export function describeRollouts(groups: readonly ScoredGroup[]): RolloutStatistics {
  const rollouts = groups.flatMap((group) => group.rollouts);
  const rewards = groups.flatMap((group) => group.rewards);
  const tokens = rollouts.reduce((sum, rollout) => sum + sampledCount(rollout), 0);
  const reward = mean(rewards);
  return {
    rollouts: rollouts.length,
    reward,
    rewardStd: Math.sqrt(mean(rewards.map((value) => (value - reward) ** 2))),
    grade: mean(rollouts.map(({ grade }) => grade)),
    length: tokens / Math.max(1, rollouts.length),
    entropy: rollouts.reduce((sum, rollout) => sum + entropySum(rollout), 0) / Math.max(1, tokens),
    sampledTokens: tokens,
    truncated: mean(rollouts.map(({ truncated }) => Number(truncated))),
    malformed: mean(rollouts.map(({ wellFormed }) => Number(!wellFormed))),
    zeroVariance: mean(groups.map((group) => Number(hasNoSpread(group.rewards)))),
  };
}

function entropySum({ trajectory }: Rollout): number {
  return trajectory.entropies.reduce((sum, entropy) => sum + entropy, 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** Each is said once; the numbers behind it stand in every line of the metrics. */
const warnings: readonly {
  readonly name: string;
  readonly text: string;
  applies(statistics: RolloutStatistics, kl: number): boolean;
}[] = [
  {
    name: "truncated",
    text: "over 30 % of replies are cut off before their end: raise --max-tokens",
    applies: ({ truncated }) => truncated > 0.3,
  },
  {
    name: "zero-variance",
    text: "over 80 % of prompts teach nothing, all their replies being rewarded alike: other --task",
    applies: ({ zeroVariance }) => zeroVariance > 0.8,
  },
  {
    name: "zero-reward",
    text: "every reward is 0: the task is beyond this model, or replies are cut off or malformed",
    applies: ({ reward, rewardStd }) => reward === 0 && rewardStd === 0,
  },
  {
    name: "entropy",
    text: "entropy is below 0.01 nats a token: the policy always says the same",
    applies: ({ entropy }) => entropy < 0.01,
  },
  {
    name: "kl",
    text: "over 20 nats a reply away from the start model: raise --kl or lower --lr",
    applies: (_, kl) => kl > 20,
  },
];

/** @returns names and texts of the warnings that apply */
export function findWarnings(
  statistics: RolloutStatistics,
  kl: number,
): { readonly name: string; readonly text: string }[] {
  if (statistics.rollouts === 0) return [];
  return warnings.filter(({ applies }) => applies(statistics, kl));
}
