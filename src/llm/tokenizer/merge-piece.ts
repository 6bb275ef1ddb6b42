/**
 * Merges the bytes of one pre-token into tokens: the lowest rank first, leftmost among equals,
 * until no pair has a rank. Short pre-tokens look through all pairs again after each merge; long
 * ones keep the candidates in a heap and cost O(n log n), so a million equal characters are no
 * trap.
 */

import type { IdBuffer } from "./id-buffer.ts";
import { NumberHeap } from "./number-heap.ts";
import { NO_MERGE, type PairTable, rankOf } from "./pair-table.ts";

export type MergePiece = (bytes: Uint8Array, start: number, end: number, out: IdBuffer) => void;

/** Up to this many bytes, looking through all ranks beats the heap. */
const SHORT = 96;

/** @param byteIds id of the token of each byte value */
export function createPieceMerger(byteIds: Int32Array, pairs: PairTable): MergePiece {
  const short = createShortMerger(byteIds, pairs);
  const long = createLongMerger(byteIds, pairs);
  return (bytes, start, end, out) =>
    end - start <= SHORT ? short(bytes, start, end, out) : long(bytes, start, end, out);
}

function createShortMerger(byteIds: Int32Array, pairs: PairTable): MergePiece {
  const { slots, tokens } = pairs;
  const ids = new Int32Array(SHORT);
  // ranks[i] is the rank of the pair (ids[i], ids[i + 1]).
  const ranks = new Int32Array(SHORT);

  return (bytes, start, end, out) => {
    let count = end - start;
    for (let i = 0; i < count; i++) ids[i] = byteIds[bytes[start + i] as number] as number;
    for (let i = 0; i + 1 < count; i++) {
      ranks[i] = rankOf(slots, ids[i] as number, ids[i + 1] as number);
    }
    for (;;) {
      let at = 0;
      let best = NO_MERGE;
      for (let i = 0; i + 1 < count; i++) {
        if ((ranks[i] as number) < best) {
          best = ranks[i] as number;
          at = i;
        }
      }
      if (best === NO_MERGE) break;
      count--;
      const token = tokens[best] as number;
      ids[at] = token;
      for (let i = at + 1; i < count; i++) {
        ids[i] = ids[i + 1] as number;
        ranks[i] = ranks[i + 1] as number;
      }
      if (at > 0) ranks[at - 1] = rankOf(slots, ids[at - 1] as number, token);
      if (at + 1 < count) ranks[at] = rankOf(slots, token, ids[at + 1] as number);
    }
    for (let i = 0; i < count; i++) out.push(ids[i] as number);
  };
}

/** Marks a position that was merged into the token on its left. */
const GONE = -1;
/** A candidate is one number, rank · POSITIONS + position, so their order is the merge order. */
const POSITIONS = 2 ** 31;

/** The live tokens form a linked list over their first positions. */
function createLongMerger(byteIds: Int32Array, pairs: PairTable): MergePiece {
  const { slots, tokens } = pairs;
  return (bytes, start, end, out) => {
    const n = end - start;
    const ids = new Int32Array(n);
    const next = new Int32Array(n);
    const previous = new Int32Array(n);
    const candidates = new NumberHeap();

    const rankAt = (at: number): number => {
      const right = next[at] as number;
      return right < n ? rankOf(slots, ids[at] as number, ids[right] as number) : NO_MERGE;
    };
    const offer = (at: number): void => {
      const rank = rankAt(at);
      if (rank !== NO_MERGE) candidates.push(rank * POSITIONS + at);
    };

    for (let at = 0; at < n; at++) {
      ids[at] = byteIds[bytes[start + at] as number] as number;
      next[at] = at + 1;
      previous[at] = at - 1;
    }
    for (let at = 0; at < n; at++) offer(at);
    while (candidates.size > 0) {
      const candidate = candidates.pop();
      const rank = Math.floor(candidate / POSITIONS);
      const at = candidate - rank * POSITIONS;
      // The pair may have changed since it was offered; what it became was offered then.
      if (ids[at] === GONE || rankAt(at) !== rank) continue;
      const right = next[at] as number;
      const after = next[right] as number;
      ids[at] = tokens[rank] as number;
      ids[right] = GONE;
      next[at] = after;
      if (after < n) previous[after] = at;
      if (at > 0) offer(previous[at] as number);
      offer(at);
    }
    for (let at = 0; at < n; at = next[at] as number) out.push(ids[at] as number);
  };
}
