/** Where rankings come from: the built-in ones, files that a run names, known sets of a folder. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { NutshellError } from "../../error.ts";
import { findRankingSources } from "../tasks/find-rankings.node.ts";
import { readRankings } from "../tasks/read-rankings.node.ts";
import type { RankingSource } from "../tasks/source.ts";

export interface FoundRankings {
  readonly sources: readonly RankingSource[];
  readonly takesBuiltin: boolean;
}

/** Data sets that may lie beside a checkout. */
const BESIDE = fileURLToPath(new URL("../../../../shared/data", import.meta.url));
const FILE = /\.jsonl(\.gz)?$/;

/**
 * @param data a file, a folder of files or of known sets, `builtin`, or absent for the built-in
 *   rankings and, where they are, the known sets
 * @throws DATA when there is nothing of the kind
 */
export function findRankings(data: string | undefined): FoundRankings {
  if (data === "builtin") return { sources: [], takesBuiltin: true };
  if (data === undefined) return { sources: findRankingSources(BESIDE), takesBuiltin: true };
  if (!existsSync(data)) throw noRankings(data, "must exist");
  if (!statSync(data).isDirectory()) return { sources: [sourceOf(data)], takesBuiltin: false };
  const known = findRankingSources(data);
  const files = readdirSync(data).filter((name) => FILE.test(name));
  const sources = known.length > 0 ? known : files.sort().map((name) => sourceOf(join(data, name)));
  if (sources.length === 0) throw noRankings(data, "must hold .jsonl files or known sets");
  return { sources, takesBuiltin: false };
}

function sourceOf(path: string): RankingSource {
  return {
    name: basename(path).replace(FILE, ""),
    licence: "of its owner",
    card: `Rankings of ${basename(path)}.`,
    weight: 1,
    use: "train",
    read: (counts) => readRankings(path, counts),
  };
}

function noRankings(data: string, rule: string): NutshellError {
  return new NutshellError(
    "DATA",
    `${data}: rankings ${rule}, got none. Name a JSONL file of {prompt, responses, ranking} or ` +
      "{prompt, chosen, rejected}, a folder of them, or builtin.",
  );
}
