/**
 * The set of n-grams of all evaluation sets: 64-bit hashes in an open-addressing table over shared
 * memory, built once and read by every worker thread. Rows of 13 words and more are held as all of
 * their 13-grams, shorter ones (8 to 12 words) as one n-gram, found by its first 8 words. Two
 * bitmaps answer for nearly all words of clean text without touching the table.
 *
 *     table: per slot low hash, high hash, row + 1 (0: empty)      bitmaps: bit = low hash modulo size
 */

import { finish } from "./minhash-words.ts";

/** @see Brown et al. 2020, appendix C */
export const GRAM_WORDS = 13;
/** Shorter texts say too little to tell a copy from an accident. */
export const LEAST_WORDS = 8;

const BASE = 0x9e3779b1;
const HIGH_BASE = 0x85ebca6b;
const OUT_OF_LONG = power(BASE, GRAM_WORDS);
const OUT_OF_SHORT = power(BASE, LEAST_WORDS);
const STRIDE = 3;
const LONG_BITS = 1 << 25;
const SHORT_BITS = 1 << 21;

export interface GramTable {
  readonly slots: SharedArrayBuffer;
  readonly longBits: SharedArrayBuffer;
  readonly shortBits: SharedArrayBuffer;
}

/** Low hash of the `size` words from `first` on. */
export function hashGram(hashes: Uint32Array, first: number, size: number): number {
  let hash = 0;
  for (let i = first; i < first + size; i++) {
    hash = (Math.imul(hash, BASE) + (hashes[i] as number)) | 0;
  }
  return finish(hash);
}

/** An independent hash of the same words. */
function hashHigh(hashes: Uint32Array, first: number, size: number): number {
  let hash = size;
  for (let i = first; i < first + size; i++) {
    const word = hashes[i] as number;
    hash = (Math.imul(hash, HIGH_BASE) + ((word << 16) | (word >>> 16))) | 0;
  }
  return finish(hash);
}

export class GramTableBuilder {
  #slots = new Uint32Array(STRIDE << 12);
  #used = 0;
  readonly #longBits = new Uint8Array(new SharedArrayBuffer(LONG_BITS / 8));
  readonly #shortBits = new Uint8Array(new SharedArrayBuffer(SHORT_BITS / 8));

  /** The first row of an n-gram keeps it. */
  add(hashes: Uint32Array, first: number, size: number, row: number): void {
    if (this.#used * 2 * STRIDE >= this.#slots.length) this.#grow();
    const low = hashGram(hashes, first, size);
    const high = hashHigh(hashes, first, size);
    if (size === GRAM_WORDS) setBit(this.#longBits, low);
    else setBit(this.#shortBits, hashGram(hashes, first, LEAST_WORDS));
    if (insert(this.#slots, low, high, row + 1)) this.#used++;
  }

  finish(): GramTable {
    const slots = new SharedArrayBuffer(this.#slots.byteLength);
    new Uint32Array(slots).set(this.#slots);
    return { slots, longBits: this.#longBits.buffer, shortBits: this.#shortBits.buffer };
  }

  #grow(): void {
    const larger = new Uint32Array(this.#slots.length * 2);
    for (let at = 0; at < this.#slots.length; at += STRIDE) {
      const row = this.#slots[at + 2] as number;
      if (row === 0) continue;
      insert(larger, this.#slots[at] as number, this.#slots[at + 1] as number, row);
    }
    this.#slots = larger;
  }
}

/** Calls `found` with slot, row, first word and size of every n-gram of `words` in the table. */
export function findGrams(
  hashes: Uint32Array,
  count: number,
  table: GramTable,
  found: (slot: number, row: number, first: number, size: number) => void,
): void {
  const slots = new Uint32Array(table.slots);
  const longBits = new Uint8Array(table.longBits);
  const shortBits = new Uint8Array(table.shortBits);
  const probe = (first: number, size: number): void => {
    const low = hashGram(hashes, first, size);
    const at = findSlot(slots, low, hashHigh(hashes, first, size));
    const row = slots[at + 2] as number;
    if (row !== 0) found(at / STRIDE, row - 1, first, size);
  };
  let long = 0;
  let short = 0;
  for (let i = 0; i < count; i++) {
    const word = hashes[i] as number;
    long = (Math.imul(long, BASE) + word) | 0;
    short = (Math.imul(short, BASE) + word) | 0;
    // Words that leave the windows; before the first word there are none.
    if (i >= GRAM_WORDS)
      long = (long - Math.imul(hashes[i - GRAM_WORDS] as number, OUT_OF_LONG)) | 0;
    if (i >= LEAST_WORDS) {
      short = (short - Math.imul(hashes[i - LEAST_WORDS] as number, OUT_OF_SHORT)) | 0;
    }
    const first = i - LEAST_WORDS + 1;
    if (first >= 0 && hasBit(shortBits, finish(short))) {
      const most = Math.min(GRAM_WORDS - 1, count - first);
      for (let size = LEAST_WORDS; size <= most; size++) probe(first, size);
    }
    if (i >= GRAM_WORDS - 1 && hasBit(longBits, finish(long)))
      probe(i - GRAM_WORDS + 1, GRAM_WORDS);
  }
}

/** @returns whether it was new */
function insert(slots: Uint32Array, low: number, high: number, row: number): boolean {
  const at = findSlot(slots, low, high);
  if (slots[at + 2] !== 0) return false;
  slots[at] = low;
  slots[at + 1] = high;
  slots[at + 2] = row;
  return true;
}

/** Offset of the slot that holds the n-gram, or of the empty one where it belongs. */
function findSlot(slots: Uint32Array, low: number, high: number): number {
  const count = slots.length / STRIDE;
  let at = (low & (count - 1)) * STRIDE;
  while (slots[at + 2] !== 0 && (slots[at] !== low || slots[at + 1] !== high)) {
    at = at + STRIDE === slots.length ? 0 : at + STRIDE;
  }
  return at;
}

function setBit(bytes: Uint8Array, hash: number): void {
  const bit = hash & (bytes.length * 8 - 1);
  bytes[bit >>> 3] = (bytes[bit >>> 3] as number) | (1 << (bit & 7));
}

function hasBit(bytes: Uint8Array, hash: number): boolean {
  const bit = hash & (bytes.length * 8 - 1);
  return ((bytes[bit >>> 3] as number) & (1 << (bit & 7))) !== 0;
}

/** Modulo 2^32. */
function power(base: number, exponent: number): number {
  let product = 1;
  for (let i = 0; i < exponent; i++) product = Math.imul(product, base);
  return product;
}
