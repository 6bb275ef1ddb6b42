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
  readonly referenceLogprobs: Float32Array;
  /** Absent without a value head. */
  readonly values: Float32Array | undefined;
}

/** The samples of one prompt. */
export type SampleGroup = readonly Sample[];

export async function gatherExperience(
  groups: readonly ScoredGroup[],
  reference: LogprobScorer,
  valueHead: ValueScorer | undefined,
): Promise<SampleGroup[]> {
  const rows = groups.flatMap(({ rollouts }) =>
    rollouts.map(({ trajectory: { ids, sampled } }) => ({ ids, mask: sampled.subarray(1) })),
  );
  const referenceLogprobs = await reference.logprobs(rows.map(({ ids }) => ids));
  const values = await valueHead?.values(rows);
  let next = 0;
  return groups.map(({ rollouts, rewards }) =>
    rollouts.map((rollout, i) => {
      const at = next++;
      return {
        ...(rows[at] as (typeof rows)[number]),
        ...{ rollout, reward: rewards[i] as number },
        logprobs: rollout.trajectory.logprobs.subarray(1),
        referenceLogprobs: referenceLogprobs[at] as Float32Array,
        values: values?.[at],
      };
    }),
  );
}

/** Mean over replies of Σ (ln p - ln p_ref): an unbiased estimate of KL, in nats a reply. */
export function meanKl(groups: readonly SampleGroup[]): number {
  const kls = groups.flat().map(sampleKl);
  return kls.reduce((sum, kl) => sum + kl, 0) / Math.max(1, kls.length);
}
