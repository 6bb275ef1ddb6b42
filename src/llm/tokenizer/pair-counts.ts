/**
 * Training's view of all adjacent pairs of tokens: each distinct pair has a number (in order of
 * first sight), a count, and a list of the places where it stands or once stood.
 */

import { hashPair } from "./pair-table.ts";

/** Ends a list of places. */
const NONE = -1;
const PLACE = 0;
const WORD = 1;
const NEXT = 2;
const ENTRY = 3;

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
  #entries = new Int32Array(ENTRY << 14);
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

  /** Counts a pair that stands at `place` in `word`; a pair's places come in rising order. */
  add(left: number, right: number, count: number, place: number, word: number): void {
    const pair = this.numberOf(left, right);
    this.counts[pair] = (this.counts[pair] as number) + count;
    const tail = this.#tails[pair] as number;
    const entry = this.#appendEntry(place, word);
    if (tail === NONE) this.#heads[pair] = entry;
    else this.#entries[tail + NEXT] = entry;
    this.#tails[pair] = entry;
  }

  /** Calls `visit` with the pair's places and their words, in rising order. */
  forEachPlace(pair: number, visit: (place: number, word: number) => void): void {
    for (let entry = this.#heads[pair] as number; entry !== NONE; ) {
      visit(this.#entries[entry + PLACE] as number, this.#entries[entry + WORD] as number);
      // Read after the visit, which may make the entries move.
      entry = this.#entries[entry + NEXT] as number;
    }
  }

  /** The first place that is still `alive`; those before it are forgotten. Infinity for none. */
  firstPlace(pair: number, alive: (place: number) => boolean): number {
    for (let entry = this.#heads[pair] as number; entry !== NONE; ) {
      const place = this.#entries[entry + PLACE] as number;
      if (alive(place)) return place;
      entry = this.#entries[entry + NEXT] as number;
      this.#heads[pair] = entry;
    }
    return Infinity;
  }

  #appendEntry(place: number, word: number): number {
    const entry = this.#entriesEnd;
    if (entry + ENTRY > this.#entries.length) {
      const larger = new Int32Array(2 * this.#entries.length);
      larger.set(this.#entries);
      this.#entries = larger;
    }
    this.#entries[entry + PLACE] = place;
    this.#entries[entry + WORD] = word;
    this.#entries[entry + NEXT] = NONE;
    this.#entriesEnd += ENTRY;
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
