/** Which samples the algorithms that select learn from. All are functions of the rewards. */
import { hasNoSpread } from "./advantages/groups.ts";
import type { RlConfig } from "./config.ts";
import type { Sample, SampleGroup } from "./experience.ts";

/** Best-of-n: the first best one of each prompt, unless all are alike. */
export function bestOfGroups(groups: readonly SampleGroup[]): Sample[] {
  return groups.flatMap((group) => {
    const rewards = group.map(({ reward }) => reward);
    if (hasNoSpread(rewards)) return [];
    return [group[rewards.indexOf(Math.max(...rewards))] as Sample];
  });
}

/**
 * STaR: what the checker accepts, each text of a prompt once. A prompt that is solved by many
 * different texts must not count more than one that is solved by few: at most two a prompt.
 *
 * @see Zelikman et al. 2022
 */
export function distinctAccepted(
  groups: readonly SampleGroup[],
  { accept }: Pick<RlConfig, "accept">,
): Sample[] {
  return groups.flatMap((group) => {
    const accepted = group.filter(({ reward }) => reward >= accept);
    const distinct = new Map(accepted.map((sample) => [sample.ids.join(), sample]));
    return [...distinct.values()].slice(0, MOST_ACCEPTED);
  });
}

const MOST_ACCEPTED = 2;

/**
 * Online DPO: the best of a prompt against its worst, the second best against the second worst and
 * so on, as long as they are rewarded differently.
 */
export function pairUp(
  groups: readonly SampleGroup[],
  { maskTruncated }: Pick<RlConfig, "maskTruncated">,
): [chosen: Sample, rejected: Sample][] {
  return groups.flatMap((group) => {
    const usable = group.filter(({ rollout }) => !(maskTruncated && rollout.truncated));
    const ranked = usable.toSorted((a, b) => b.reward - a.reward);
    const pairs = Array.from({ length: ranked.length >> 1 }, (_, i): [Sample, Sample] => [
      ranked[i] as Sample,
      ranked[ranked.length - 1 - i] as Sample,
    ]);
    return pairs.filter(([chosen, rejected]) => chosen.reward > rejected.reward);
  });
}
