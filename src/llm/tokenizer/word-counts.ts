/**
 * How often each distinct pre-token occurs in a text, in the order of first sight. Several counts
 * (one per thread) merge into the one that a single count over all texts in order would give.
 */

import { PieceTable } from "./piece-table.ts";
import { createSplitter } from "./splitter.ts";
import type { TokenBytes } from "./token-bytes.ts";

/** Distinct pre-tokens ("words") in the order of first sight. */
export interface WordCounts {
  /** Word i is bytes[starts[i] … starts[i + 1]). */
  readonly words: TokenBytes;
  readonly counts: Float64Array;
  /** The job in which the word was first seen; never falls along the list. */
  readonly jobs: Float64Array;
}

export interface WordCounter {
  /** Counts a text as part of job number `job`; job numbers never fall. */
  add(text: string, job: number): void;
  result(): WordCounts;
}

/** @throws TOKENIZER when the pattern is not valid */
export function createWordCounter(pattern: string): WordCounter {
  const splitter = createSplitter(pattern);
  const list = createWordList();
  return {
    add: (text, job) =>
      splitter.ofText(text, (bytes, start, end) => list.add(bytes, start, end, 1, job)),
    result: list.result,
  };
}

/** Job numbers decide the order, so the result does not depend on who counted which job. */
export function mergeWordCounts(parts: readonly WordCounts[]): WordCounts {
  const only = parts[0];
  if (parts.length === 1 && only !== undefined) return only;
  const list = createWordList();
  const next = parts.map(() => 0);
  const jobOf = (part: number) => parts[part]?.jobs[next[part] as number] ?? Infinity;
  for (;;) {
    const part = next.reduce((best, _, at) => (jobOf(at) < jobOf(best) ? at : best), 0);
    const job = jobOf(part);
    if (job === Infinity) return list.result();
    const { words, counts, jobs } = parts[part] as WordCounts;
    let word = next[part] as number;
    for (; jobs[word] === job; word++) {
      const [start, end] = [words.starts[word] as number, words.starts[word + 1] as number];
      list.add(words.bytes, start, end, counts[word] as number, job);
    }
    next[part] = word;
  }
}

interface WordList {
  add(bytes: Uint8Array, start: number, end: number, count: number, job: number): void;
  result(): WordCounts;
}

function createWordList(): WordList {
  const table = new PieceTable();
  const starts = [0];
  const counts: number[] = [];
  const jobs: number[] = [];
  return {
    add(bytes, start, end, count, job) {
      const word = table.find(bytes, start, end) - 1;
      if (word >= 0) {
        counts[word] = (counts[word] as number) + count;
        return;
      }
      counts.push(count);
      jobs.push(job);
      starts.push((starts[starts.length - 1] as number) + end - start);
      table.add(bytes, start, end, counts.length);
    },
    result: () => ({
      words: { bytes: table.keys(), starts: Uint32Array.from(starts) },
      counts: Float64Array.from(counts),
      jobs: Float64Array.from(jobs),
    }),
  };
}
