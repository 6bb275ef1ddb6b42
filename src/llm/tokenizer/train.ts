/**
 * Trains byte-level BPE. Text is cut into pre-tokens, equal ones are counted once, and the most
 * frequent adjacent pair becomes a token until the vocabulary is full or no pair occurs twice.
 * Ties go to the pair with the smaller left id, then the smaller right id.
 *
 * Pair counts are kept up to date word by word, and a heap with lazily corrected entries finds the
 * next pair, so the time follows the changes, not merges × text. Ids: 0–255 are the bytes, then the
 * merges in order, then the special tokens.
 */

import { NutshellError } from "../../error.ts";
import { type BpeTokenizer, createBpeTokenizer, type Merge, pairKey } from "./bpe.ts";
import { PairHeap } from "./pair-heap.ts";
import { compilePattern, SPLIT_PATTERN, splitText } from "./pattern.ts";
import { BOS } from "./tokenizer.ts";

export interface TrainOptions {
  /** Ids in all: 256 bytes + merges + special tokens. Fewer come out when the text runs dry. */
  readonly vocabSize: number;
  /** Default: only `<|bos|>`. */
  readonly specialTokens?: readonly string[];
  /** Split pattern in the dialect of `pattern.ts`. */
  readonly pattern?: string;
}

/** Distinct pre-tokens as token ids, how often each occurs, and where each pair may occur. */
interface TrainState {
  readonly words: number[][];
  readonly counts: readonly number[];
  readonly pairCounts: Map<number, number>;
  /** Words that contained the pair at some time; may hold words that no longer do. */
  readonly pairWords: Map<number, number[]>;
}

/** @throws TOKENIZER when vocabSize leaves no room for the bytes and special tokens */
export function trainBpe(texts: Iterable<string>, options: TrainOptions): BpeTokenizer {
  const specials = options.specialTokens ?? [BOS];
  const pattern = options.pattern ?? SPLIT_PATTERN;
  const mergeCount = options.vocabSize - 256 - specials.length;
  checkRoom(options.vocabSize, specials);
  const merges = learnMerges(countPairs(countPieces(texts, compilePattern(pattern))), mergeCount);
  return createBpeTokenizer({ ...layOut(merges, specials), merges, pattern });
}

function checkRoom(vocabSize: number, specials: readonly string[]): void {
  const least = 256 + specials.length;
  if (Number.isInteger(vocabSize) && vocabSize >= least) return;
  throw new NutshellError(
    "TOKENIZER",
    `tokenizer train: vocabSize must be an integer of at least ${least} (256 bytes and ` +
      `${specials.length} special tokens), got ${vocabSize}. Try 4096.`,
  );
}

function countPieces(texts: Iterable<string>, pattern: RegExp): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const piece of splitText(text, pattern)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  }
  return counts;
}

function countPairs(pieces: ReadonlyMap<string, number>): TrainState {
  const encoder = new TextEncoder();
  const words = Array.from(pieces.keys(), (piece) => Array.from(encoder.encode(piece)));
  const state: TrainState = {
    words,
    counts: [...pieces.values()],
    pairCounts: new Map(),
    pairWords: new Map(),
  };
  for (const [index, word] of words.entries()) addPairs(state, index, word);
  return state;
}

function learnMerges(state: TrainState, mergeCount: number): Merge[] {
  const heap = new PairHeap();
  for (const [pair, count] of state.pairCounts) heap.push(-count, pair);
  const merges: Merge[] = [];
  while (merges.length < mergeCount) {
    const pair = tryNextPair(state, heap);
    if (pair === undefined) break;
    const left = Math.floor(pair / pairKey(1, 0));
    const merge: Merge = [left, pair - pairKey(left, 0), 256 + merges.length];
    merges.push(merge);
    for (const changed of applyMerge(state, pair, merge)) {
      heap.push(-(state.pairCounts.get(changed) ?? 0), changed);
    }
  }
  return merges;
}

/** The most frequent pair that occurs at least twice; stale heap entries go back corrected. */
function tryNextPair(state: TrainState, heap: PairHeap): number | undefined {
  for (let entry = heap.tryPop(); entry !== undefined; entry = heap.tryPop()) {
    const [negative, pair] = entry;
    const count = state.pairCounts.get(pair) ?? 0;
    if (count === -negative) return count >= 2 ? pair : undefined;
    if (count > 0 && count < -negative) heap.push(-count, pair);
  }
  return undefined;
}

/** Rewrites every word that holds the pair. @returns the pairs that exist because of the merge */
function applyMerge(state: TrainState, pair: number, merge: Merge): Set<number> {
  const born = new Set<number>();
  const touched = state.pairWords.get(pair) ?? [];
  state.pairWords.delete(pair);
  for (const index of touched) {
    const before = state.words[index] as number[];
    const after = mergeWord(before, merge);
    if (after.length === before.length) continue;
    removePairs(state, index, before);
    addPairs(state, index, after, merge[2], born);
    state.words[index] = after;
  }
  return born;
}

function mergeWord(word: readonly number[], [left, right, token]: Merge): number[] {
  const merged: number[] = [];
  for (let at = 0; at < word.length; at++) {
    const hit = word[at] === left && word[at + 1] === right;
    merged.push(hit ? token : (word[at] as number));
    if (hit) at++;
  }
  return merged;
}

function removePairs(state: TrainState, index: number, word: readonly number[]): void {
  const count = state.counts[index] as number;
  for (let at = 0; at + 1 < word.length; at++) {
    const pair = pairKey(word[at] as number, word[at + 1] as number);
    state.pairCounts.set(pair, (state.pairCounts.get(pair) as number) - count);
  }
}

/**
 * Counts a word's pairs. After a merge only pairs that contain the new `token` are new to the
 * word; those are listed in `born` and indexed, the others already are.
 */
function addPairs(
  state: TrainState,
  index: number,
  word: readonly number[],
  token?: number,
  born?: Set<number>,
): void {
  const count = state.counts[index] as number;
  for (let at = 0; at + 1 < word.length; at++) {
    const left = word[at] as number;
    const right = word[at + 1] as number;
    const pair = pairKey(left, right);
    state.pairCounts.set(pair, (state.pairCounts.get(pair) ?? 0) + count);
    if (token !== undefined && left !== token && right !== token) continue;
    born?.add(pair);
    indexWord(state.pairWords, pair, index);
  }
}

/** A word's pairs are indexed in one go, so a repeated pair finds its own index at the end. */
function indexWord(pairWords: Map<number, number[]>, pair: number, index: number): void {
  const list = pairWords.get(pair);
  if (list === undefined) pairWords.set(pair, [index]);
  else if (list[list.length - 1] !== index) list.push(index);
}

/** Byte tokens, merged tokens, then special tokens without bytes. */
function layOut(
  merges: readonly Merge[],
  specials: readonly string[],
): { tokens: Uint8Array[]; byteIds: number[]; specialTokens: Map<string, number> } {
  const byteIds = Array.from({ length: 256 }, (_, byte) => byte);
  const tokens = byteIds.map((byte) => Uint8Array.of(byte));
  for (const [left, right] of merges) {
    tokens.push(Uint8Array.of(...(tokens[left] as Uint8Array), ...(tokens[right] as Uint8Array)));
  }
  const first = tokens.length;
  for (const _ of specials) tokens.push(new Uint8Array());
  return { tokens, byteIds, specialTokens: new Map(specials.map((name, i) => [name, first + i])) };
}
