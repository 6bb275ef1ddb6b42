/**
 * A prompt with K answers that somebody ordered: a person, a grader or a program. Ties are allowed:
 * answers of one group are equally good and are never compared.
 *
 * Invariant (`checkRanking`): every index of `responses` stands in exactly one group, there are two
 * groups or more, and `margins` has one number for each step down from a group to the next.
 */
import { NutshellError } from "../../error.ts";
import type { Message } from "../chat/conversation.ts";

export interface RankedPrompt {
  /** The messages up to and including the last user's. */
  readonly prompt: readonly Message[];
  /** K texts of an assistant, in no particular order. */
  readonly responses: readonly string[];
  /** Groups of indices into `responses`, best group first. */
  readonly ranking: readonly (readonly number[])[];
  /**
   * How much better group g is than group g + 1, at least 0, where the source says so: grades or
   * ratings. Between groups further apart margins add up.
   */
  readonly margins?: readonly number[];
}

/** One pair that a ranking implies; both are indices into `responses`. */
export interface Comparison {
  readonly chosen: number;
  readonly rejected: number;
  /** 0 where the source states none. */
  readonly margin: number;
}

/** @returns all pairs of different groups, better group first: C(K, 2) of them without ties */
export function comparisonsOf({ ranking, margins = [] }: RankedPrompt): Comparison[] {
  const pairs: Comparison[] = [];
  for (const [better, group] of ranking.entries()) {
    let margin = 0;
    for (const [below, worse] of ranking.slice(better + 1).entries()) {
      margin += margins[better + below] ?? 0;
      for (const chosen of group) {
        for (const rejected of worse) pairs.push({ chosen, rejected, margin });
      }
    }
  }
  return pairs;
}

/**
 * @param where names the row in the message
 * @throws DATA when the invariant does not hold
 */
export function checkRanking(
  { prompt, responses, ranking, margins }: RankedPrompt,
  where: string,
): void {
  const seen = ranking.flat().sort((a, b) => a - b);
  const isComplete = seen.length === responses.length && seen.every((index, i) => index === i);
  if (!isComplete || ranking.some((group) => group.length === 0)) {
    const rule = `a ranking must hold each of the ${responses.length} responses once`;
    throw badRanking(where, rule, JSON.stringify(ranking));
  }
  if (ranking.length < 2) throw badRanking(where, "two groups or more are needed", "one");
  if (prompt.at(-1)?.role !== "user") {
    throw badRanking(where, "a prompt must end with the user", prompt.at(-1)?.role ?? "nothing");
  }
  const isMargin = (margin: number): boolean => Number.isFinite(margin) && margin >= 0;
  if (margins && (margins.length !== ranking.length - 1 || !margins.every(isMargin))) {
    const rule = `${ranking.length - 1} margins of 0 or more are needed`;
    throw badRanking(where, rule, JSON.stringify(margins));
  }
}

function badRanking(where: string, rule: string, got: string): NutshellError {
  return new NutshellError("DATA", `${where}: ${rule}, got ${got}. Repair the row or take it out.`);
}
