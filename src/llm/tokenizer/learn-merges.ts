/**
 * The merges of a byte-level BPE from counted words: the most frequent adjacent pair becomes a
 * token, again and again. Every adjacent pair counts, overlapping ones too ("aaa" holds "aa"
 * twice), as in minbpe, Hugging Face and rustbpe; merging then goes from left to right.
 *
 * Counts are kept up to date place by place, so the time follows the changes, not merges × text,
 * for a single word of many megabytes too. A pair is complete when its newer token is made: from
 * then on its count only falls and its first place only moves towards the end.
 */

import type { Merge } from "./bpe.ts";
import { PairCounts } from "./pair-counts.ts";
import { createPairQueue, type TieOrders } from "./pair-queue.ts";
import { TokenLine } from "./token-line.ts";
import type { WordCounts } from "./word-counts.ts";

/** Which of the most frequent pairs is merged; `TieOrders` says who does so. */
export type TieRule = keyof TieOrders;

/** @returns at most `mergeCount` merges; fewer when no pair occurs twice any more */
export function learnMerges(counted: WordCounts, mergeCount: number, ties: TieRule): Merge[] {
  const line = new TokenLine(counted.words);
  const pairs = countPairs(counted);
  const tokens = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  const queue = createPairQueue(pairs, ties, (pair) => firstPlace(line, pairs, pair), tokens);
  queue.offerFrom(0);
  const merges: Merge[] = [];
  while (merges.length < mergeCount) {
    const pair = queue.tryNext();
    if (pair === undefined) break;
    const [left, right] = [pairs.lefts[pair] as number, pairs.rights[pair] as number];
    const token = line.addToken(left, right);
    tokens.push(Uint8Array.of(...(tokens[left] as Uint8Array), ...(tokens[right] as Uint8Array)));
    merges.push([left, right, token]);
    const firstNew = pairs.size;
    mergePair(line, pairs, counted.counts, pair, token);
    queue.offerFrom(firstNew);
  }
  return merges;
}

function countPairs({ words, counts }: WordCounts): PairCounts {
  const pairs = new PairCounts();
  const { bytes, starts } = words;
  for (let word = 0; word < counts.length; word++) {
    const count = counts[word] as number;
    const [start, end] = [starts[word] as number, starts[word + 1] as number];
    const place = TokenLine.placeOf(words, word) - start;
    for (let at = start; at + 1 < end; at++) {
      pairs.add(bytes[at] as number, bytes[at + 1] as number, count, place + at, word);
    }
  }
  return pairs;
}

function firstPlace(line: TokenLine, pairs: PairCounts, pair: number): number {
  const [left, right] = [pairs.lefts[pair] as number, pairs.rights[pair] as number];
  return pairs.firstPlace(pair, (place) => line.holds(place, left, right));
}

/** Merges the pair wherever it still stands, from left to right, and moves the counts along. */
function mergePair(
  line: TokenLine,
  pairs: PairCounts,
  wordCounts: Float64Array,
  pair: number,
  token: number,
): void {
  const [left, right] = [pairs.lefts[pair] as number, pairs.rights[pair] as number];
  pairs.forEachPlace(pair, (place, word) => {
    if (!line.holds(place, left, right)) return;
    const count = wordCounts[word] as number;
    pairs.subtract(left, right, count);
    const before = line.tryPlaceBefore(place);
    if (before !== undefined) {
      const id = line.idAt(before);
      pairs.subtract(id, left, count);
      pairs.add(id, token, count, before, word);
    }
    const after = line.tryIdAfter(place, left, right);
    if (after !== undefined) {
      pairs.subtract(right, after, count);
      pairs.add(token, after, count, place, word);
    }
    line.merge(place, left, token);
  });
}
