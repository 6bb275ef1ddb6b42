/**
 * A hash table from byte strings to numbers: linear probing over slots of four words in one typed
 * array. A key of up to 11 bytes lies in the slot itself (three words, its length in the top byte
 * of the third), so nearly every look-up touches one cache line. A longer key has its hash, its
 * place among all keys, and its negated length there.
 *
 * Values are integers of 32 bits other than 0, which stands for "absent"; keys are not empty.
 */

const VALUE = 3;
const WORDS = 4;
const INLINE = 11;
const SMALLEST = 1 << 10;

export class PieceTable {
  #slots = new Int32Array(WORDS * SMALLEST);
  /** All keys in the order in which they were added, short ones too. */
  #keys = new Uint8Array(8 * SMALLEST);
  #keysEnd = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns the value of bytes[start … end), or 0 when the table does not hold them */
  find(bytes: Uint8Array, start: number, end: number): number {
    const slot =
      end - start <= INLINE
        ? this.#shortSlot(bytes, start, end)
        : this.#longSlot(bytes, start, end, hashOf(bytes, start, end));
    return this.#slots[slot + VALUE] as number;
  }

  /** Adds a key that `find` did not find. */
  add(bytes: Uint8Array, start: number, end: number, value: number): void {
    if (2 * this.#size >= this.#slots.length / WORDS) this.#growSlots();
    const slots = this.#slots;
    const length = end - start;
    if (length <= INLINE) {
      const slot = this.#shortSlot(bytes, start, end);
      slots[slot] = wordAt(bytes, start, end);
      slots[slot + 1] = wordAt(bytes, start + 4, end);
      slots[slot + 2] = wordAt(bytes, start + 8, end) | (length << 24);
      slots[slot + VALUE] = value;
    } else {
      const hash = hashOf(bytes, start, end);
      const slot = this.#longSlot(bytes, start, end, hash);
      slots[slot] = hash;
      slots[slot + 1] = this.#keysEnd;
      slots[slot + 2] = -length;
      slots[slot + VALUE] = value;
    }
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
  #shortSlot(bytes: Uint8Array, start: number, end: number): number {
    const slots = this.#slots;
    const first = wordAt(bytes, start, end);
    const second = wordAt(bytes, start + 4, end);
    const third = wordAt(bytes, start + 8, end) | ((end - start) << 24);
    const last = slots.length - WORDS;
    for (let slot = firstSlot(first, second, third) & last; ; slot = (slot + WORDS) & last) {
      if (slots[slot + VALUE] === 0) return slot;
      const same = slots[slot] === first && slots[slot + 1] === second;
      if (same && slots[slot + 2] === third) return slot;
    }
  }

  #longSlot(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const slots = this.#slots;
    const keys = this.#keys;
    const length = end - start;
    const last = slots.length - WORDS;
    for (let slot = (hash * WORDS) & last; ; slot = (slot + WORDS) & last) {
      if (slots[slot + VALUE] === 0) return slot;
      if (slots[slot] !== hash || slots[slot + 2] !== -length) continue;
      const place = slots[slot + 1] as number;
      let i = 0;
      while (i < length && keys[place + i] === bytes[start + i]) i++;
      if (i === length) return slot;
    }
  }

  #growSlots(): void {
    const old = this.#slots;
    const slots = new Int32Array(2 * old.length);
    const last = slots.length - WORDS;
    for (let from = 0; from < old.length; from += WORDS) {
      if (old[from + VALUE] === 0) continue;
      const [first, second, third] = [old[from], old[from + 1], old[from + 2]] as number[];
      const long = (third as number) < 0;
      const home = long ? (first as number) * WORDS : firstSlot(first, second, third);
      let to = home & last;
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

/** Up to four bytes as one little-endian word; none from `end` on. */
function wordAt(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) {
    return (
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    );
  }
  let word = 0;
  for (let i = end - 1; i >= at; i--) word = (word << 8) | (bytes[i] as number);
  return word;
}

/** Where a short key belongs, before the table's size cuts the number; a multiple of WORDS. */
function firstSlot(first = 0, second = 0, third = 0): number {
  let hash = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b);
  hash ^= Math.imul(third, 0xc2b2ae35);
  return (hash ^ (hash >>> 15) ^ (hash >>> 7)) * WORDS;
}

/** FNV-1a with a last mix, so that the low bits depend on every byte. Fowler, Noll, Vo. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash ^ (hash >>> 15);
}
