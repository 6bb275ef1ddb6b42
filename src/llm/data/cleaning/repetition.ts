/**
 * How much of a text is said twice: lines, paragraphs and n-grams of words, over the hashes of a
 * `TextShape`. Shares are of UTF-16 units or of counts, 0 to 1.
 *
 * @see Rae et al. 2021 (Gopher), table A1
 */
import type { Runs, TextShape } from "./text-shape.ts";

/** A share and the place of the first thing that repeats, for showing it. */
export interface Repetition {
  readonly share: number;
  readonly start: number;
  readonly end: number;
}

const none: Repetition = { share: 0, start: 0, end: 0 };

/** Open addressing over 32-bit keys, cleared only as far as the last text used it. */
interface Counter {
  keys: Int32Array;
  counts: Int32Array;
  mask: number;
}

const counter: Counter = { keys: new Int32Array(2048), counts: new Int32Array(2048), mask: 2047 };

function clearCounter(entries: number): void {
  const size = 2 ** Math.ceil(Math.log2(Math.max(entries, 8) * 2));
  if (size > counter.keys.length) {
    counter.keys = new Int32Array(size);
    counter.counts = new Int32Array(size);
  } else {
    counter.keys.fill(0, 0, size);
    counter.counts.fill(0, 0, size);
  }
  counter.mask = size - 1;
}

/** @returns how often `key` has been counted, this time included */
function count(key: number): number {
  const { keys, counts, mask } = counter;
  const stored = key || 1;
  let slot = (key ^ (key >>> 16)) & mask;
  while (keys[slot] !== 0 && keys[slot] !== stored) slot = (slot + 1) & mask;
  keys[slot] = stored;
  const times = (counts[slot] as number) + 1;
  counts[slot] = times;
  return times;
}

/** Share of the lines or paragraphs that were there before. */
export function repeatedRuns({ count: runs, hash, start, end }: Runs): Repetition {
  if (runs < 2) return none;
  clearCounter(runs);
  let repeated = 0;
  let first = -1;
  for (let i = 0; i < runs; i++) {
    if (count(hash[i] as number) === 1) continue;
    repeated++;
    if (first < 0) first = i;
  }
  if (first < 0) return none;
  return { share: repeated / runs, start: start[first] as number, end: end[first] as number };
}

/** Share of the text's characters in lines or paragraphs that were there before. */
export function repeatedRunChars(
  { count: runs, hash, start, end }: Runs,
  chars: number,
): Repetition {
  if (runs < 2) return none;
  clearCounter(runs);
  let repeated = 0;
  let first = -1;
  for (let i = 0; i < runs; i++) {
    if (count(hash[i] as number) === 1) continue;
    repeated += (end[i] as number) - (start[i] as number);
    if (first < 0) first = i;
  }
  if (first < 0) return none;
  return { share: repeated / chars, start: start[first] as number, end: end[first] as number };
}

/** Hash of the n words from `at`. */
function gramHash(hash: Int32Array, at: number, n: number): number {
  let mixed = n;
  for (let i = at; i < at + n; i++) {
    mixed = Math.imul(mixed ^ (hash[i] as number), 0x5bd1e995);
    mixed ^= mixed >>> 15;
  }
  return mixed | 0 || 1;
}

/** Share of the text that the most frequent n-gram takes (n 2 to 4). */
export function topGram({ grams, chars }: TextShape, n: number): Repetition {
  const { count: words, hash, start, end } = grams;
  if (words < n) return none;
  clearCounter(words);
  let most = 1;
  let at = -1;
  for (let i = 0; i + n <= words; i++) {
    const times = count(gramHash(hash, i, n));
    if (times <= most) continue;
    most = times;
    at = i;
  }
  if (at < 0) return none;
  const from = start[at] as number;
  const to = end[at + n - 1] as number;
  return { share: ((to - from) * most) / chars, start: from, end: to };
}

/**
 * Share of the text inside n-grams that were there before (n 5 to 10). Falls with n: a repeated
 * 10-gram is made of repeated 5-grams.
 */
export function repeatedGrams({ grams, chars }: TextShape, n: number): Repetition {
  const { count: words, hash, start, end } = grams;
  if (words <= n) return none;
  clearCounter(words);
  let covered = 0;
  let coveredTo = 0;
  let first = -1;
  for (let i = 0; i + n <= words; i++) {
    if (count(gramHash(hash, i, n)) === 1) continue;
    const to = end[i + n - 1] as number;
    covered += to - Math.max(coveredTo, start[i] as number);
    coveredTo = to;
    if (first < 0) first = i;
  }
  if (first < 0) return none;
  const from = start[first] as number;
  return { share: covered / chars, start: from, end: end[first + n - 1] as number };
}
