/**
 * The evaluation sets of a run: their hash at once, their index only when some part has to be
 * cleaned or judged. Indexing takes seconds, and most runs change nothing.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { EvalIndex } from "./decontaminate.ts";
import { readEvalIndex } from "./decontaminate-sets.node.ts";

export interface Evaluation {
  /** SHA-256 of the names and bytes of all files. */
  readonly hash: string;
  /** @throws DATA for a file that cannot be read */
  index(): EvalIndex;
}

/**
 * @param path folder or file of evaluation sets; undefined: none at hand
 * @throws DATA when nothing is there
 */
export function findEvaluation(path: string | undefined): Evaluation | undefined {
  if (path === undefined) return undefined;
  let made: EvalIndex | undefined;
  const index = (): EvalIndex => {
    made ??= readEvalIndex([path]);
    return made;
  };
  const found = statSync(path, { throwIfNoEntry: false });
  // Indexing nothing says what is wrong.
  if (found === undefined) return { hash: index().hash, index };
  const hash = createHash("sha256");
  for (const file of found.isFile() ? [path] : filesBelow(path)) {
    hash.update(`${file.slice(path.length)}\0`).update(readFileSync(file));
  }
  return { hash: hash.digest("hex"), index };
}

function filesBelow(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const rows = names.filter((name) => /\.jsonl(\.gz)?$/.test(name)).sort();
  return rows.map((name) => join(folder, name));
}
