/**
 * The merges of a byte-level BPE from counted words: the most frequent adjacent pair becomes a
 * token, again and again. Every adjacent pair counts, overlapping ones too ("aaa" holds "aa"
 * twice), as in minbpe, Hugging Face and rustbpe; merging then goes from left to right.
 *
 * Counts are kept up to date word by word, and a heap with lazily corrected entries finds the next
 * pair, so the time follows the changes, not merges × text. That works because a pair is complete
 * when its newer token is made: from then on its count only falls and its first place only moves
 * towards the end.
 */

import type { Merge } from "./bpe.ts";
import { PairCounts } from "./pair-counts.ts";
import { PairHeap } from "./pair-heap.ts";
import type { WordCounts } from "./word-counts.ts";

/** Which of the most frequent pairs is merged. */
export type TieRule =
  | "smaller-ids" // smaller left id, then smaller right id: Hugging Face, rustbpe
  | "first-seen" // the pair that occurs first in the text as merged so far: minbpe
  | "larger-bytes"; // larger bytes of the left token, then of the right one: Stanford CS336

interface TrainState {
  /** Tokens of all words; a word shrinks in place, its room stays. */
  readonly symbols: Int32Array;
  /** Where each word begins, in `symbols` and in the bytes of all words. */
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
  readonly wordCounts: Float64Array;
  readonly pairs: PairCounts;
  /** Bytes of each token. */
  readonly tokens: Uint8Array[];
}

/** @returns at most `mergeCount` merges; fewer when no pair occurs twice any more */
export function learnMerges(counted: WordCounts, mergeCount: number, ties: TieRule): Merge[] {
  const state = createState(counted);
  const queue = createQueue(state, ties);
  queue.offerFrom(0);
  const merges: Merge[] = [];
  while (merges.length < mergeCount) {
    const pair = queue.tryNext();
    if (pair === undefined) break;
    const merge = mergeOf(state, pair);
    merges.push(merge);
    const firstNew = state.pairs.size;
    state.pairs.someWord(pair, (word) => mergeWord(state, word, merge));
    queue.offerFrom(firstNew);
  }
  return merges;
}

function createState({ words, counts }: WordCounts): TrainState {
  const { bytes, starts } = words;
  const state: TrainState = {
    symbols: Int32Array.from(bytes),
    starts,
    lengths: new Uint32Array(counts.length),
    wordCounts: counts,
    pairs: new PairCounts(),
    tokens: Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  };
  for (let word = 0; word < counts.length; word++) {
    const [start, end] = [starts[word] as number, starts[word + 1] as number];
    state.lengths[word] = end - start;
    for (let at = start; at + 1 < end; at++) {
      state.pairs.add(bytes[at] as number, bytes[at + 1] as number, counts[word] as number, word);
    }
  }
  return state;
}

function mergeOf({ pairs, tokens }: TrainState, pair: number): Merge {
  const [left, right] = [pairs.lefts[pair] as number, pairs.rights[pair] as number];
  const token = tokens.length;
  tokens.push(Uint8Array.of(...(tokens[left] as Uint8Array), ...(tokens[right] as Uint8Array)));
  return [left, right, token];
}

/** Rewrites a word from left to right and moves the counts along. @returns false: go on */
function mergeWord(state: TrainState, word: number, [left, right, token]: Merge): boolean {
  const { symbols, pairs } = state;
  const count = state.wordCounts[word] as number;
  const start = state.starts[word] as number;
  const end = start + (state.lengths[word] as number);
  let to = start;
  for (let from = start; from < end; from++) {
    const symbol = symbols[from] as number;
    if (symbol !== left || from + 1 === end || symbols[from + 1] !== right) {
      symbols[to++] = symbol;
      continue;
    }
    pairs.subtract(left, right, count);
    if (to > start) {
      const before = symbols[to - 1] as number;
      pairs.subtract(before, left, count);
      pairs.add(before, token, count, word);
    }
    if (from + 2 < end) {
      const after = symbols[from + 2] as number;
      pairs.subtract(right, after, count);
      pairs.add(token, after, count, word);
    }
    symbols[to++] = token;
    from++;
  }
  state.lengths[word] = to - start;
  return false;
}

interface PairQueue {
  /** Offers all pairs from this number on. */
  offerFrom(pair: number): void;
  /** The pair to merge next, undefined when none occurs twice. */
  tryNext(): number | undefined;
}

/** A pair is in the heap at most once, with the count and place of the time it was offered. */
function createQueue(state: TrainState, ties: TieRule): PairQueue {
  const { pairs } = state;
  const counts: number[] = [];
  const places: number[] = [];
  const placeOf = ties === "first-seen" ? (pair: number) => firstPlace(state, pair) : () => 0;
  const tieBefore = createTieRules(state, places)[ties];
  const heap = new PairHeap((a, b) => {
    const difference = (counts[a] as number) - (counts[b] as number);
    return difference === 0 ? tieBefore(a, b) : difference > 0;
  });

  function offer(pair: number): void {
    counts[pair] = pairs.counts[pair] as number;
    places[pair] = placeOf(pair);
    if ((counts[pair] as number) >= 2) heap.push(pair);
  }
  return {
    offerFrom(first) {
      for (let pair = first; pair < pairs.size; pair++) offer(pair);
    },
    tryNext() {
      for (let pair = heap.tryPop(); pair !== undefined; pair = heap.tryPop()) {
        if (counts[pair] === pairs.counts[pair] && places[pair] === placeOf(pair)) return pair;
        offer(pair);
      }
      return undefined;
    },
  };
}

type PairOrder = (a: number, b: number) => boolean;

function createTieRules(state: TrainState, places: number[]): Record<TieRule, PairOrder> {
  const { lefts, rights } = state.pairs;
  const compareTokens = (a: number, b: number): number =>
    compareBytes(state.tokens[a] as Uint8Array, state.tokens[b] as Uint8Array);
  const compareIds = (a: number, b: number): number =>
    (lefts[a] as number) - (lefts[b] as number) || (rights[a] as number) - (rights[b] as number);
  return {
    "smaller-ids": (a, b) => compareIds(a, b) < 0,
    "first-seen": (a, b) => (places[a] as number) < (places[b] as number),
    "larger-bytes": (a, b) =>
      (compareTokens(lefts[a] as number, lefts[b] as number) ||
        compareTokens(rights[a] as number, rights[b] as number)) > 0,
  };
}

/** Where the pair first occurs, in bytes of all words; they stand in the order of first sight. */
function firstPlace(state: TrainState, pair: number): number {
  const { symbols, starts, lengths, tokens, pairs } = state;
  const [left, right] = [pairs.lefts[pair], pairs.rights[pair]];
  let place = Infinity;
  pairs.someWord(pair, (word) => {
    const start = starts[word] as number;
    const last = start + (lengths[word] as number) - 1;
    let bytes = start;
    for (let at = start; at < last; at++) {
      if (symbols[at] === left && symbols[at + 1] === right) {
        place = bytes;
        return true;
      }
      bytes += (tokens[symbols[at] as number] as Uint8Array).length;
    }
    return false;
  });
  return place;
}

/** Order of byte strings: by the first byte that differs, a beginning before the whole. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
