/** Where rankings come from: the built-in ones, files that a run names, known sets of a folder. */
import { BESIDE, findGiven, type GivenKind } from "../tasks/find-given.node.ts";
import { findRankingSources } from "../tasks/find-rankings.node.ts";
import { readRankings } from "../tasks/read-rankings.node.ts";
import type { RankingSource } from "../tasks/source.ts";

export interface FoundRankings {
  readonly sources: readonly RankingSource[];
  readonly takesBuiltin: boolean;
}

/**
 * @param data a file, a folder of files or of known sets, `builtin`, or absent for the built-in
 *   rankings and, where they are, the known sets
 * @throws DATA when there is nothing of the kind
 */
export function findRankings(data: string | undefined): FoundRankings {
  if (data === "builtin") return { sources: [], takesBuiltin: true };
  if (data === undefined) return { sources: findRankingSources(BESIDE), takesBuiltin: true };
  return { sources: findGiven(data, rankings), takesBuiltin: false };
}

const rankings: GivenKind<RankingSource> = {
  plural: "rankings",
  hint:
    "Name a JSONL file of {prompt, responses, ranking} or {prompt, chosen, rejected}, a folder of " +
    "them, or builtin.",
  known: findRankingSources,
  open: (path, about) => ({ ...about, read: (counts) => readRankings(path, counts) }),
};
