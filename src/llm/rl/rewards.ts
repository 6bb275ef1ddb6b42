/** What a rollout is worth: the program's grade, the reward model's number, less penalties. */
import type { RewardScorer } from "../inference/score.ts";
import type { RlConfig } from "./config.ts";
import { type Rollout, type RolloutGroup, sampledCount } from "./rollout.ts";

export interface ScoredGroup extends RolloutGroup {
  /** Of each rollout, in order. */
  readonly rewards: readonly number[];
}

type RewardRules = Pick<
  RlConfig,
  "reward" | "rewardModelWeight" | "maxTokens" | "lengthPenalty" | "missingEndPenalty"
>;

/** @param scorer needed for every `reward` but "program"; reads ids of the policy's tokenizer */
export async function rewardGroups(
  groups: readonly RolloutGroup[],
  rules: RewardRules,
  scorer: RewardScorer | undefined,
): Promise<ScoredGroup[]> {
  const all = groups.flatMap(({ rollouts }) => rollouts);
  const judged = await scorer?.score(all.map(({ trajectory }) => trajectory.ids));
  let next = 0;
  return groups.map((group) => {
    const rewards = group.rollouts.map((rollout) =>
      rewardOf(rollout, judged?.[next++] ?? 0, rules),
    );
    return { ...group, rewards };
  });
}

const mixes: Readonly<
  Record<RlConfig["reward"], (grade: number, judged: number, weight: number) => number>
> = {
  program: (grade) => grade,
  model: (_, judged) => judged,
  both: (grade, judged, weight) => grade + weight * judged,
};

/** @param judged the reward model's number */
export function rewardOf(rollout: Rollout, judged: number, rules: RewardRules): number {
  const { reward, rewardModelWeight, maxTokens, lengthPenalty, missingEndPenalty } = rules;
  const length = lengthPenalty === 0 ? 0 : (lengthPenalty * sampledCount(rollout)) / maxTokens;
  const missing = rollout.truncated ? missingEndPenalty : 0;
  return mixes[reward](rollout.grade, judged, rewardModelWeight) - length - missing;
}
