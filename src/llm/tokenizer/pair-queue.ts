/**
 * Which pair training merges next: the most frequent one, ties by rule. A pair is in the heap at
 * most once, with the count and first place of the time it was offered. A count can only fall
 * later, and a first place only moves when it falls, so a pair that comes out with an old count
 * goes back with the new values.
 */

import type { PairCounts } from "./pair-counts.ts";
import { PairHeap } from "./pair-heap.ts";

/** Whether pair a is merged before pair b. */
type PairOrder = (a: number, b: number) => boolean;

/** Which of the most frequent pairs is merged. */
export interface TieOrders {
  /** Smaller left id, then smaller right id: Hugging Face, rustbpe. */
  readonly "smaller-ids": PairOrder;
  /** The pair that occurs first in the text as merged so far: minbpe. */
  readonly "first-seen": PairOrder;
  /** Larger bytes of the left token, then of the right one: Stanford CS336. */
  readonly "larger-bytes": PairOrder;
}

export interface PairQueue {
  /** Offers all pairs from this number on. */
  offerFrom(pair: number): void;
  /** The pair to merge next, undefined when none occurs twice. */
  tryNext(): number | undefined;
}

/**
 * @param firstPlace where a pair now stands first
 * @param tokens bytes of each token, growing with the merges
 */
export function createPairQueue(
  pairs: PairCounts,
  ties: keyof TieOrders,
  firstPlace: (pair: number) => number,
  tokens: readonly Uint8Array[],
): PairQueue {
  const counts: number[] = [];
  const places: number[] = [];
  const placeOf = ties === "first-seen" ? firstPlace : () => 0;
  const tieBefore = createTieOrders(pairs, places, tokens)[ties];
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
        if (counts[pair] === pairs.counts[pair]) return pair;
        offer(pair);
      }
      return undefined;
    },
  };
}

function createTieOrders(
  { lefts, rights }: PairCounts,
  places: readonly number[],
  tokens: readonly Uint8Array[],
): TieOrders {
  const compareTokens = (a = 0, b = 0): number =>
    compareBytes(tokens[a] as Uint8Array, tokens[b] as Uint8Array);
  return {
    "smaller-ids": (a, b) => {
      const difference = (lefts[a] as number) - (lefts[b] as number);
      return (difference || (rights[a] as number) - (rights[b] as number)) < 0;
    },
    "first-seen": (a, b) => (places[a] as number) < (places[b] as number),
    "larger-bytes": (a, b) =>
      (compareTokens(lefts[a], lefts[b]) || compareTokens(rights[a], rights[b])) > 0,
  };
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
