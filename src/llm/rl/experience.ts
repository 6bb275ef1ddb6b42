/**
 * A step's rollouts with all that an algorithm may ask about their tokens: log-probabilities of
 * the policy that wrote them and of the reference, values. Arrays count by target.
 */
import type { LogprobScorer } from "../inference/logprobs.ts";
import { type ChosenTokens, sampleKl } from "./advantages/token-rewards.ts";
import type { ScoredGroup } from "./rewards.ts";
import type { Rollout } from "./rollout.ts";
import type { ValueScorer } from "./value-head.ts";

export interface Sample extends ChosenTokens {
  readonly rollout: Rollout;
  readonly reward: number;
  readonly ids: Int32Array;
  /** Absent without a value head. */
  readonly values: Float32Array | undefined;
}

/** The samples of one prompt. */
export type SampleGroup = readonly Sample[];

/**
 * @param needsReference every sample is judged by the reference; else only the first one of each
 *   prompt, which is enough to tell how far the policy has gone
 */
export async function gatherExperience(
  groups: readonly ScoredGroup[],
  reference: LogprobScorer,
  needsReference: boolean,
  valueHead: ValueScorer | undefined,
): Promise<SampleGroup[]> {
  const rows = groups.flatMap(({ rollouts }) =>
    rollouts.map(({ trajectory: { ids, sampled } }, i) => {
      return { ids, mask: sampled.subarray(1), isJudged: needsReference || i === 0 };
    }),
  );
  const judged = rows.filter(({ isJudged }) => isJudged);
  const referenceLogprobs = await reference.logprobs(judged.map(({ ids }) => ids));
  const values = await valueHead?.values(rows);
  let [next, nextJudged] = [0, 0];
  return groups.map(({ rollouts, rewards }) =>
    rollouts.map((rollout, i) => {
      const at = next++;
      const { ids, mask, isJudged } = rows[at] as (typeof rows)[number];
      return {
        ...{ ids, mask, rollout, reward: rewards[i] as number },
        logprobs: rollout.trajectory.logprobs.subarray(1),
        referenceLogprobs: isJudged ? referenceLogprobs[nextJudged++] : undefined,
        values: values?.[at],
      };
    }),
  );
}

/**
 * Mean over judged replies of Σ (ln p - ln p_ref), in nats a reply: an unbiased estimate of KL at
 * temperature 1. At another one, replies are drawn from other odds than the p that is read.
 */
export function meanKl(groups: readonly SampleGroup[]): number {
  const judged = groups.flat().filter(({ referenceLogprobs }) => referenceLogprobs !== undefined);
  const kls = judged.map(sampleKl);
  return kls.reduce((sum, kl) => sum + kl, 0) / Math.max(1, kls.length);
}
