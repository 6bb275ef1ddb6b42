/**
 * `trainBpe` with the counting of words in worker threads and texts that may come from a stream.
 * The tokenizer is the same for any number of threads, and the same as `trainBpe` makes.
 */

import type { BpeTokenizer } from "./bpe.ts";
import type { CountJob } from "./count.worker.node.ts";
import { SPLIT_PATTERN } from "./pattern.ts";
import { batchTexts } from "./text-batches.ts";
import { checkRoom, type TrainOptions, trainOnCounts } from "./train.ts";
import { mergeWordCounts, type WordCounts } from "./word-counts.ts";
import { WorkerTeam } from "./worker-team.node.ts";

const JOB_CHARACTERS = 1 << 20;

/** @throws TOKENIZER as `trainBpe` does, or when a worker thread dies */
export async function trainBpeTeam(
  texts: Iterable<string> | AsyncIterable<string>,
  options: TrainOptions,
  threads: number,
): Promise<BpeTokenizer> {
  checkRoom(options);
  return trainOnCounts(await countWords(texts, options.pattern ?? SPLIT_PATTERN, threads), options);
}

async function countWords(
  texts: Iterable<string> | AsyncIterable<string>,
  pattern: string,
  threads: number,
): Promise<WordCounts> {
  const entry = new URL("./count.worker.node.ts", import.meta.url);
  await using team = new WorkerTeam<CountJob, WordCounts | undefined>(entry, threads, pattern);
  const done: Promise<unknown>[] = [];
  for await (const batch of batchTexts(texts, JOB_CHARACTERS)) {
    const { result } = await team.start({ number: done.length, texts: batch });
    done.push(result);
  }
  await Promise.all(done);
  const parts = await team.all("finish");
  return mergeWordCounts(parts.filter((part) => part !== undefined));
}
