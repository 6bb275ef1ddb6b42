/**
 * Byte-level byte-pair encoding: text → pre-tokens (split pattern) → UTF-8 bytes → merges, the
 * lowest rank first and leftmost among equals, until no pair has a rank.
 *
 * Encoding a pre-token of n bytes costs O(n log n), so a million repeated characters are no trap;
 * pre-tokens seen before come from a bounded cache, which makes ordinary text fast.
 * Sennrich et al. 2016 (BPE); Radford et al. 2019 (on bytes).
 */

import { PairHeap } from "./pair-heap.ts";
import { compilePattern, splitText } from "./pattern.ts";
import { createTokenizer, type Tokenizer, type Vocabulary } from "./tokenizer.ts";

/** One merge: the tokens `left` and `right` become `token`. Several merges may make one token. */
export type Merge = readonly [left: number, right: number, token: number];

export interface BpeVocabulary extends Vocabulary {
  /** Id of the single-byte token for each byte value, 256 of them. */
  readonly byteIds: readonly number[];
  readonly merges: readonly Merge[];
  /**
   * Which of several possible merges comes first: the one earlier in `merges` ("listed", the
   * default), or the one whose token has the smaller id ("token-id", tiktoken's rule, where all
   * pairs that spell one token are equal). Leftmost among equals in both.
   */
  readonly mergeOrder?: "listed" | "token-id";
  /** A pre-token that is itself a token is not merged (tiktoken; Hugging Face `ignore_merges`). */
  readonly wholePieces?: boolean;
  /** Split pattern, in the dialect of `pattern.ts`. */
  readonly pattern: string;
}

export interface BpeTokenizer extends Tokenizer {
  readonly kind: "bpe";
  readonly vocabulary: BpeVocabulary;
}

/** Pre-tokens longer than this many characters are rare and would fill the cache. */
const CACHED_LENGTH = 32;
const CACHED_ENTRIES = 1 << 18;

/** One number for a pair of ids; ids stay below 2^26. */
export function pairKey(left: number, right: number): number {
  return left * 0x4000000 + right;
}

/** @throws TOKENIZER when the pattern is not valid */
export function createBpeTokenizer(vocabulary: BpeVocabulary): BpeTokenizer {
  const pattern = compilePattern(vocabulary.pattern);
  const ranks = new Map(
    vocabulary.merges.map(([left, right], rank) => [pairKey(left, right), rank]),
  );
  const encoder = new TextEncoder();
  const cache = new Map<string, readonly number[]>();

  function encodePiece(piece: string): readonly number[] {
    const ids: number[] = [];
    for (const byte of encoder.encode(piece)) ids.push(vocabulary.byteIds[byte] as number);
    const merge = ids.length <= SHORT ? mergeShort : mergeLong;
    return merge(ids, ranks, vocabulary.merges);
  }

  function cachedPiece(piece: string): readonly number[] {
    const known = cache.get(piece);
    if (known !== undefined) return known;
    const ids = encodePiece(piece);
    if (piece.length <= CACHED_LENGTH) {
      if (cache.size >= CACHED_ENTRIES) cache.clear();
      cache.set(piece, ids);
    }
    return ids;
  }

  function encodeText(text: string, ids: number[]): void {
    for (const piece of splitText(text, pattern)) {
      for (const id of cachedPiece(piece)) ids.push(id);
    }
  }

  return { kind: "bpe", vocabulary, ...createTokenizer(vocabulary, encodeText) };
}

/** Up to this many bytes, scanning all pairs again after each merge beats the heap. */
const SHORT = 32;

type MergePairs = (
  ids: number[],
  ranks: ReadonlyMap<number, number>,
  merges: readonly Merge[],
) => number[];

/** Applies merges to `ids` in place: find the lowest rank, merge there, look again. */
const mergeShort: MergePairs = (ids, ranks, merges) => {
  for (;;) {
    let best = Number.POSITIVE_INFINITY;
    let at = -1;
    for (let i = 0; i + 1 < ids.length; i++) {
      const rank = ranks.get(pairKey(ids[i] as number, ids[i + 1] as number));
      if (rank === undefined || rank >= best) continue;
      best = rank;
      at = i;
    }
    if (at < 0) return ids;
    ids.splice(at, 2, (merges[best] as Merge)[2]);
  }
};

/** Marks a position that was merged into the token on its left. */
const GONE = -1;

/**
 * The same in O(n log n). The live tokens form a linked list over their first positions; the heap
 * holds candidate merges by (rank, position), and an entry whose pair has since changed is skipped.
 */
const mergeLong: MergePairs = (ids, ranks, merges) => {
  const n = ids.length;
  const next = new Int32Array(n);
  const previous = new Int32Array(n);
  const heap = new PairHeap();

  const rankAt = (at: number): number | undefined => {
    const right = next[at] as number;
    return right < n ? ranks.get(pairKey(ids[at] as number, ids[right] as number)) : undefined;
  };
  const offer = (at: number): void => {
    const rank = at < 0 ? undefined : rankAt(at);
    if (rank !== undefined) heap.push(rank, at);
  };

  for (let at = 0; at < n; at++) {
    next[at] = at + 1;
    previous[at] = at - 1;
  }
  for (let at = 0; at < n; at++) offer(at);
  for (let entry = heap.tryPop(); entry !== undefined; entry = heap.tryPop()) {
    const [rank, at] = entry;
    if (ids[at] === GONE || rankAt(at) !== rank) continue;
    const right = next[at] as number;
    const after = next[right] as number;
    ids[at] = (merges[rank] as Merge)[2];
    ids[right] = GONE;
    next[at] = after;
    if (after < n) previous[after] = at;
    offer(previous[at] as number);
    offer(at);
  }
  return ids.filter((id) => id !== GONE);
};
