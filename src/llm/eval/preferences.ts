/**
 * A reward model's accuracy: the share of pairs in which the preferred answer has the higher
 * reward. Pairs that people call equal are not pairs; equal rewards of different answers are half
 * right. All pairs of one prompt are one group of the error bar: they share their answers.
 */
import { type Comparison, comparisonsOf, type RankedPrompt } from "../tasks/ranking.ts";
import { bootstrap, type Estimate, type Group, wilson } from "./intervals.ts";

/** @param rewards of `ranked.responses`  @returns right pairs among all pairs of this prompt */
export function rankedRight(ranked: RankedPrompt, rewards: ArrayLike<number>): Group {
  const pairs = comparisonsOf(ranked);
  const sum = pairs.reduce((total, pair) => total + pairRight(pair, rewards), 0);
  return { sum, count: pairs.length };
}

/** 1 right, ½ a tie, 0 wrong. */
function pairRight({ chosen, rejected }: Comparison, rewards: ArrayLike<number>): number {
  const lead = (rewards[chosen] as number) - (rewards[rejected] as number);
  return lead > 0 ? 1 : lead === 0 ? 0.5 : 0;
}

/** @param groups one a prompt; Wilson's interval where each has one pair */
export function preferenceAccuracy(groups: readonly Group[], seed: number): Estimate {
  if (groups.some(({ count }) => count !== 1)) return bootstrap(groups, seed);
  const right = groups.reduce((total, { sum }) => total + sum, 0);
  return wilson(right, groups.length);
}
