/**
 * Shingles: runs of five words as 32-bit hashes, one rolling polynomial hash over the words'
 * hashes. A document of fewer than 40 words is one shingle: the whole of it. Short texts that
 * differ in one word mean different things (two questions of a quiz, two commands), so a short
 * document is a duplicate only of one with the same words.
 *
 * @see Broder 1997 for shingles; Penedo et al. 2024 (FineWeb) for five words
 */

import { finish, type Words } from "./minhash-words.ts";

export const SHINGLE_WORDS = 5;

/** Fewer words than this make one shingle. */
export const SHORT_DOCUMENT = 40;

/** An odd multiplier: the hash of n words is the sum of word i times BASE^(n-1-i), modulo 2^32. */
const BASE = 0x9e3779b1;
const BASE_TO_5 = [1, 2, 3, 4].reduce((power) => Math.imul(power, BASE), BASE);

/**
 * Shingle hashes in text order, repeats included.
 * @param reuse overwritten and returned where it is large enough
 */
export function hashShingles({ count, hashes }: Words, reuse?: Uint32Array): Uint32Array {
  const shingles = count < SHORT_DOCUMENT ? Math.min(count, 1) : count - SHINGLE_WORDS + 1;
  const size = count < SHORT_DOCUMENT ? count : SHINGLE_WORDS;
  const room = reuse && reuse.length >= shingles ? reuse : new Uint32Array(shingles);
  let rolling = 0;
  for (let i = 0; i < count; i++) {
    rolling = (Math.imul(rolling, BASE) + (hashes[i] as number)) | 0;
    if (i >= size) rolling = (rolling - Math.imul(hashes[i - size] as number, BASE_TO_5)) | 0;
    if (i >= size - 1) room[i - size + 1] = finish(rolling);
  }
  return room.subarray(0, shingles);
}
