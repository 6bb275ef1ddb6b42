/**
 * The corpus as one stream of token ids, 4 bytes a token, with what is counted while it is read:
 * occurrences and documents of each token, and pairs.
 */

import { PairCounts } from "./triggers-pair-counts.ts";
import { END, FIRST_TEXT, LINE_BREAK, START, tokenText, visitTokens } from "./triggers-tokens.ts";

const PAIR_CELLS = 1 << 24;

export class TokenStream {
  /** Token ids; only the first `length` count. */
  ids: Uint32Array = new Uint32Array(1 << 20);
  length = 0;
  readonly pairs: PairCounts = new PairCounts(PAIR_CELLS);
  /** By token id. */
  counts: Uint32Array = new Uint32Array(1 << 12);
  documents: Uint32Array = new Uint32Array(1 << 12);
  readonly texts: string[] = ["", "", ""];
  /** Documents in stream order, and where the tokens of each begin. */
  readonly numbers: number[] = [];
  readonly starts: number[] = [];
  #latest = new Int32Array(1 << 12).fill(-1);
  #hashes = new Uint32Array(1 << 16);
  #slots = new Uint32Array(1 << 16);

  add(document: number, text: string): void {
    this.numbers.push(document);
    this.starts.push(this.length);
    this.#push(START);
    visitTokens(text, (hash, start, end) => {
      this.#push(hash === 0 ? LINE_BREAK : this.#idOf(hash, text, start, end));
    });
    this.#push(END);
  }

  /** Index among `numbers` of the document that holds a position of the stream. */
  documentAt(position: number): number {
    let low = 0;
    let high = this.starts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.starts[middle] as number) <= position) low = middle;
      else high = middle;
    }
    return low;
  }

  #push(id: number): void {
    if (this.length === this.ids.length) this.ids = doubled(this.ids);
    const previous = this.length === 0 ? END : (this.ids[this.length - 1] as number);
    this.ids[this.length++] = id;
    this.counts[id] = (this.counts[id] as number) + 1;
    const document = this.numbers.length;
    if (this.#latest[id] !== document) {
      this.#latest[id] = document;
      this.documents[id] = (this.documents[id] as number) + 1;
    }
    if (id !== START) this.pairs.add(previous, id);
  }

  #idOf(hash: number, text: string, start: number, end: number): number {
    if (this.texts.length * 2 > this.#slots.length) this.#grow();
    const slot = findSlot(this.#hashes, this.#slots, hash);
    const known = this.#slots[slot] as number;
    if (known !== 0) return known;
    const id = this.texts.push(tokenText(text, start, end)) - 1;
    this.#hashes[slot] = hash;
    this.#slots[slot] = id;
    if (id >= this.counts.length) this.#growCounts();
    return id;
  }

  #growCounts(): void {
    this.counts = doubled(this.counts);
    this.documents = doubled(this.documents);
    const latest = new Int32Array(this.counts.length).fill(-1);
    latest.set(this.#latest);
    this.#latest = latest;
  }

  #grow(): void {
    const hashes = new Uint32Array(this.#hashes.length * 2);
    const slots = new Uint32Array(hashes.length);
    for (let old = 0; old < this.#slots.length; old++) {
      const id = this.#slots[old] as number;
      if (id < FIRST_TEXT) continue;
      const hash = this.#hashes[old] as number;
      const slot = findSlot(hashes, slots, hash);
      hashes[slot] = hash;
      slots[slot] = id;
    }
    this.#hashes = hashes;
    this.#slots = slots;
  }
}

/** Slots hold ids, 0 for none: id 0 is no text. */
function findSlot(hashes: Uint32Array, slots: Uint32Array, hash: number): number {
  const last = slots.length - 1;
  let slot = (hash >>> 1) & last;
  while (slots[slot] !== 0 && hashes[slot] !== hash) slot = (slot + 1) & last;
  return slot;
}

function doubled(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}
