/**
 * A hash table from byte strings to numbers in two typed arrays: linear probing over slots of four
 * words (hash, offset, length, value), the keys one after another in `#keys`. A key is found
 * without making an object of it, which is what encoding and counting spend their time on.
 *
 * Values are integers of 32 bits other than 0, which stands for "absent"; keys are not empty.
 */

const OFFSET = 1;
const LENGTH = 2;
const VALUE = 3;
const WORDS = 4;
const SMALLEST = 1 << 10;

export class PieceTable {
  #slots = new Int32Array(WORDS * SMALLEST);
  #keys = new Uint8Array(8 * SMALLEST);
  #keysEnd = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns the value of bytes[start … end), or 0 when the table does not hold them */
  find(bytes: Uint8Array, start: number, end: number): number {
    const slot = this.#slotOf(bytes, start, end, hashOf(bytes, start, end));
    return this.#slots[slot + VALUE] as number;
  }

  /** Adds a key that `find` did not find. */
  add(bytes: Uint8Array, start: number, end: number, value: number): void {
    if (2 * this.#size >= this.#slots.length / WORDS) this.#growSlots();
    const hash = hashOf(bytes, start, end);
    const slot = this.#slotOf(bytes, start, end, hash);
    this.#slots[slot] = hash;
    this.#slots[slot + OFFSET] = this.#keysEnd;
    this.#slots[slot + LENGTH] = end - start;
    this.#slots[slot + VALUE] = value;
    this.#appendKey(bytes, start, end);
    this.#size++;
  }

  /** All keys, joined in the order in which they were added. */
  keys(): Uint8Array<ArrayBuffer> {
    return this.#keys.slice(0, this.#keysEnd);
  }

  clear(): void {
    this.#slots.fill(0);
    this.#keysEnd = 0;
    this.#size = 0;
  }

  /** First word of the slot that holds the key, or of the free slot where it belongs. */
  #slotOf(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const slots = this.#slots;
    const keys = this.#keys;
    const length = end - start;
    const last = slots.length - WORDS;
    for (let slot = (hash * WORDS) & last; ; slot = (slot + WORDS) & last) {
      if (slots[slot + VALUE] === 0) return slot;
      if (slots[slot] !== hash || slots[slot + LENGTH] !== length) continue;
      const offset = slots[slot + OFFSET] as number;
      let i = 0;
      while (i < length && keys[offset + i] === bytes[start + i]) i++;
      if (i === length) return slot;
    }
  }

  #growSlots(): void {
    const old = this.#slots;
    const slots = new Int32Array(2 * old.length);
    const last = slots.length - WORDS;
    for (let from = 0; from < old.length; from += WORDS) {
      if (old[from + VALUE] === 0) continue;
      let to = ((old[from] as number) * WORDS) & last;
      while (slots[to + VALUE] !== 0) to = (to + WORDS) & last;
      for (let word = 0; word < WORDS; word++) slots[to + word] = old[from + word] as number;
    }
    this.#slots = slots;
  }

  #appendKey(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.#keysEnd + end - start;
    if (needed > this.#keys.length) {
      const keys = new Uint8Array(Math.max(needed, 2 * this.#keys.length));
      keys.set(this.#keys.subarray(0, this.#keysEnd));
      this.#keys = keys;
    }
    for (let at = start; at < end; at++) this.#keys[this.#keysEnd++] = bytes[at] as number;
  }
}

/** FNV-1a with a last mix, so that the low bits depend on every byte. Fowler, Noll, Vo. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash ^ (hash >>> 15);
}
