/**
 * What near-duplicate search keeps of one document, made in worker threads: the number of words,
 * the MinHash bands, and a sample of the shingles themselves, those whose hash is 0 modulo 16
 * (modulo 4 in documents of fewer than 320 words). Bands find documents that are alike as wholes;
 * shared samples also find a copy inside a longer document, or one edited all over. Short documents
 * have bands only.
 *
 *     little endian, 32 bits each: words | 14 bands of 2 | samples, rising, distinct
 */

import { BANDS, hashBands, minhash } from "./minhash.ts";
import { hashShingles, SHORT_DOCUMENT } from "./minhash-shingles.ts";
import { hashWords, type Words } from "./minhash-words.ts";

/** Documents of at least this many words keep one shingle of 16, others one of 4. */
const SPARSE_FROM = 320;

const DENSE_MASK = 3;
export const SPARSE_MASK = 15;

export interface Signature {
  readonly words: number;
  /** 2 × BANDS numbers; none for a document without words. */
  readonly bands: Uint32Array;
  readonly samples: Uint32Array;
}

/** Arrays of the last call: new ones for each document would cost more than the hashing. */
let scratch: { readonly words: Words; readonly shingles: Uint32Array } | undefined;

/**
 * Runs in worker threads.
 * @returns 116 bytes and 4 for every 16 words (every 4 words of shorter documents)
 */
export function signDocument(text: string): Uint8Array {
  const words = hashWords(text, scratch?.words);
  const shingles = hashShingles(words, scratch?.shingles);
  scratch = { words, shingles: new Uint32Array(shingles.buffer) };
  const samples = words.count < SHORT_DOCUMENT ? [] : sample(shingles, maskFor(words.count));
  const packed = Uint32Array.of(words.count, ...hashBands(minhash(shingles)));
  const signature = new Uint32Array(packed.length + samples.length);
  signature.set(packed);
  signature.set(samples, packed.length);
  return new Uint8Array(signature.buffer);
}

/** @param bytes from `signDocument`, at any alignment */
export function readSignature(bytes: Uint8Array): Signature {
  const values = new Uint32Array(bytes.slice().buffer);
  const words = values[0] ?? 0;
  const first = 1 + 2 * BANDS;
  return {
    words,
    bands: values.subarray(1, words === 0 ? 1 : first),
    samples: values.subarray(first),
  };
}

/** Samples of a document of `words` words are those of a longer one's rate after this mask. */
export function maskFor(words: number): number {
  return words < SPARSE_FROM ? DENSE_MASK : SPARSE_MASK;
}

function sample(shingles: Uint32Array, mask: number): Uint32Array {
  const chosen = shingles.filter((hash) => (hash & mask) === 0).sort();
  return chosen.filter((hash, i) => i === 0 || hash !== chosen[i - 1]);
}
