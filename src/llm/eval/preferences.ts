/**
 * Whether a reward model orders the answers to a prompt as people did: the share of pairs in which
 * the preferred answer has the higher reward. Answers that people call equal are no pair; equal
 * rewards of a pair are half right. Guessing gets ½, whatever the ranking.
 */
import { comparisonsOf, type RankedPrompt } from "../tasks/ranking.ts";

/**
 * A prompt counts once, however many answers it has, since its pairs share them.
 * @param rewards of `ranked.responses`
 */
export function rankedRight(ranked: RankedPrompt, rewards: ArrayLike<number>): number {
  const pairs = comparisonsOf(ranked);
  const right = pairs.map(({ chosen, rejected }) => {
    const lead = (rewards[chosen] as number) - (rewards[rejected] as number);
    return lead > 0 ? 1 : lead === 0 ? 0.5 : 0;
  });
  return right.reduce<number>((sum, one) => sum + one, 0) / pairs.length;
}
