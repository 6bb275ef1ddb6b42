/** Evaluation sets small enough to work out by hand, in the files that a folder of data has. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

/** @param sets rows by path below the folder */
export async function writeSets(
  folder: string,
  sets: Readonly<Record<string, readonly object[]>>,
): Promise<void> {
  for (const [name, rows] of Object.entries(sets)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, gzipSync(rows.map((row) => `${JSON.stringify(row)}\n`).join("")));
  }
}

/**
 * For a model that says " ab" and begins it anew after anything else: `a` is likely after a space,
 * `b` after `a`, and nothing else is.
 */
export const setsAboutAb: Readonly<Record<string, readonly object[]>> = {
  // The model picks "ab" whatever is asked: right in three of four.
  "eval/core/arc_easy.jsonl.gz": [
    { query: "1?", choices: ["ab", "ba"], gold: 0 },
    { query: "2?", choices: ["ba", "ab"], gold: 1 },
    { query: "3?", choices: ["bb", "aa", "ab", "ba"], gold: 2 },
    { query: "4?", choices: ["ab", "zz"], gold: 1 },
  ],
  // The ending begins with the space, which follows z and not a: the model picks z.
  "eval/core/winogrande.jsonl.gz": [
    { context_options: ["a", "z"], continuation: "ab", gold: 1 },
    { context_options: ["z", "a"], continuation: "ab", gold: 1 },
  ],
  "eval/core/bigbench_operators.jsonl.gz": [
    { context: "x", continuation: "ab" },
    { context: "y", continuation: "ba" },
    { context: "z", continuation: "abb" },
  ],
  "eval/core/triviaqa_sm_sub.jsonl.gz": [
    { context: "Question: p?\nAnswer:", answer: "no", aliases: ["Ab"] },
    { context: "Question: q?\nAnswer:", answer: "ba", aliases: [] },
  ],
  // Longer than any context, and one that fits.
  "eval/core/openbook_qa.jsonl.gz": [
    { query: "long ".repeat(300), choices: ["ab", "ba"], gold: 0 },
    { query: "short", choices: ["ab", "ba"], gold: 0 },
  ],
};
