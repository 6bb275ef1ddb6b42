/**
 * Training's view of all adjacent pairs of tokens: each distinct pair has a number (in order of
 * first sight), a count, and a list of the words that hold it or once held it.
 */

import { hashPair } from "./pair-table.ts";

/** Ends a list of words. */
const NONE = -1;

export class PairCounts {
  readonly lefts: number[] = [];
  readonly rights: number[] = [];
  /** How often each pair occurs now, all words times their counts. */
  readonly counts: number[] = [];
  /** Pair number + 1 by hash of the pair, 0 for a free slot. */
  #slots = new Int32Array(1 << 16);
  /** First and last entry of each pair's list. */
  readonly #heads: number[] = [];
  readonly #tails: number[] = [];
  /** Two numbers an entry: the word, the next entry. */
  #entries = new Int32Array(1 << 16);
  #entriesEnd = 0;

  get size(): number {
    return this.counts.length;
  }

  /** The number of a pair, a new one when it was never seen. */
  numberOf(left: number, right: number): number {
    const slot = this.#slotOf(left, right);
    const known = (this.#slots[slot] as number) - 1;
    if (known >= 0) return known;
    this.lefts.push(left);
    this.rights.push(right);
    this.counts.push(0);
    this.#heads.push(NONE);
    this.#tails.push(NONE);
    this.#slots[slot] = this.size;
    if (2 * this.size > this.#slots.length) this.#growSlots();
    return this.size - 1;
  }

  subtract(left: number, right: number, count: number): void {
    const pair = this.numberOf(left, right);
    this.counts[pair] = (this.counts[pair] as number) - count;
  }

  /** Counts a pair of `word`; words come in rising order, so a list never names one twice. */
  add(left: number, right: number, count: number, word: number): void {
    const pair = this.numberOf(left, right);
    this.counts[pair] = (this.counts[pair] as number) + count;
    const tail = this.#tails[pair] as number;
    if (tail !== NONE && this.#entries[tail] === word) return;
    const entry = this.#appendEntry(word);
    if (tail === NONE) this.#heads[pair] = entry;
    else this.#entries[tail + 1] = entry;
    this.#tails[pair] = entry;
  }

  /** Calls `visit` with each word of the pair's list, in rising order, until it answers true. */
  someWord(pair: number, visit: (word: number) => boolean): boolean {
    for (let at = this.#heads[pair] as number; at !== NONE; at = this.#entries[at + 1] as number) {
      if (visit(this.#entries[at] as number)) return true;
    }
    return false;
  }

  #appendEntry(word: number): number {
    if (this.#entriesEnd === this.#entries.length) {
      const larger = new Int32Array(2 * this.#entriesEnd);
      larger.set(this.#entries);
      this.#entries = larger;
    }
    const entry = this.#entriesEnd;
    this.#entries[entry] = word;
    this.#entries[entry + 1] = NONE;
    this.#entriesEnd += 2;
    return entry;
  }

  #slotOf(left: number, right: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashPair(left, right) & mask; ; slot = (slot + 1) & mask) {
      const pair = (this.#slots[slot] as number) - 1;
      if (pair < 0 || (this.lefts[pair] === left && this.rights[pair] === right)) return slot;
    }
  }

  #growSlots(): void {
    this.#slots = new Int32Array(2 * this.#slots.length);
    for (let pair = 0; pair < this.size; pair++) {
      const slot = this.#slotOf(this.lefts[pair] as number, this.rights[pair] as number);
      this.#slots[slot] = pair + 1;
    }
  }
}
