/**
 * Which documents hold a key: an open-addressing table of keys, each with the number of documents
 * that hold it and a chain of the first few. Typed arrays only, about 40 bytes a key and 8 a
 * posting; grows by doubling.
 */

import { finish } from "./minhash-words.ts";

const EMPTY = -1;

export class Postings {
  readonly #most: number;
  #keys = new Float64Array(1 << 12).fill(EMPTY);
  /** Per slot: newest posting, and how many documents hold the key. */
  #heads = new Int32Array(1 << 12);
  #counts = new Int32Array(1 << 12);
  #used = 0;
  #documents = new Int32Array(1 << 12);
  #older = new Int32Array(1 << 12);
  #postings = 0;

  /** @param most documents that one key remembers: its first ones */
  constructor(most: number) {
    this.#most = most;
  }

  /** @param key an integer from 0 to 2^53 - 1 */
  add(key: number, document: number): void {
    const slot = this.#slotOf(key);
    const count = this.#counts[slot] as number;
    if (count < this.#most) this.#append(slot, document);
    this.#counts[slot] = count + 1;
  }

  /** Documents added under `key`, remembered or not. */
  count(key: number): number {
    const slot = findSlot(this.#keys, key);
    return this.#keys[slot] === EMPTY ? 0 : (this.#counts[slot] as number);
  }

  /** Calls `visit` with each remembered document of `key`, newest first. */
  visit(key: number, visit: (document: number) => void): void {
    const slot = findSlot(this.#keys, key);
    if (this.#keys[slot] === EMPTY) return;
    const length = Math.min(this.#counts[slot] as number, this.#most);
    let posting = this.#heads[slot] as number;
    for (let i = 0; i < length; i++) {
      visit(this.#documents[posting] as number);
      posting = this.#older[posting] as number;
    }
  }

  #append(slot: number, document: number): void {
    if (this.#postings === this.#documents.length) {
      this.#documents = doubled(this.#documents);
      this.#older = doubled(this.#older);
    }
    this.#documents[this.#postings] = document;
    this.#older[this.#postings] = this.#heads[slot] as number;
    this.#heads[slot] = this.#postings++;
  }

  #slotOf(key: number): number {
    if (this.#used * 2 >= this.#keys.length) this.#grow();
    const slot = findSlot(this.#keys, key);
    if (this.#keys[slot] === EMPTY) {
      this.#keys[slot] = key;
      this.#used++;
    }
    return slot;
  }

  #grow(): void {
    const keys = new Float64Array(this.#keys.length * 2).fill(EMPTY);
    const heads = new Int32Array(keys.length);
    const counts = new Int32Array(keys.length);
    for (let old = 0; old < this.#keys.length; old++) {
      const key = this.#keys[old] as number;
      if (key === EMPTY) continue;
      const slot = findSlot(keys, key);
      keys[slot] = key;
      heads[slot] = this.#heads[old] as number;
      counts[slot] = this.#counts[old] as number;
    }
    this.#keys = keys;
    this.#heads = heads;
    this.#counts = counts;
  }
}

/** The slot of `key`, or the empty one where it belongs. */
function findSlot(keys: Float64Array, key: number): number {
  const last = keys.length - 1;
  let slot = finish(key ^ Math.imul(Math.floor(key / 0x1_0000_0000), 0x9e3779b1)) & last;
  while (keys[slot] !== key && keys[slot] !== EMPTY) slot = (slot + 1) & last;
  return slot;
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
