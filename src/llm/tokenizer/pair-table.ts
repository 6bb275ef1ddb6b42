/**
 * The merges as a hash table in one typed array: (left, right) → rank, linear probing over slots
 * of three words. Plain data, so it can be handed to another thread. The lowest rank is merged
 * first; `tokens[rank]` is what the merge makes.
 */

export interface PairTable {
  /** left + 1, right, rank for each slot; 0 in the first word marks a free slot. */
  readonly slots: Int32Array;
  readonly tokens: Int32Array;
}

const RIGHT = 1;
const RANK = 2;
const WORDS = 3;

/** Rank of a pair that does not merge; larger than any other. */
export const NO_MERGE: number = 2 ** 31 - 1;

/**
 * @param merges left, right and the token they make
 * @param listed whether a merge's rank is its place in the list, otherwise it is the token's id
 * @param vocabSize number of ids
 */
export function createPairTable(
  merges: readonly (readonly [left: number, right: number, token: number])[],
  listed: boolean,
  vocabSize: number,
): PairTable {
  const capacity = 2 ** Math.ceil(Math.log2(2 * merges.length + 2));
  const table = {
    slots: new Int32Array(WORDS * capacity),
    tokens: new Int32Array(listed ? merges.length : vocabSize),
  };
  for (const [place, [left, right, token]] of merges.entries()) {
    const rank = listed ? place : token;
    table.tokens[rank] = token;
    const slot = slotOf(table.slots, left, right);
    table.slots[slot] = left + 1;
    table.slots[slot + RIGHT] = right;
    table.slots[slot + RANK] = rank;
  }
  return table;
}

/** @returns the rank of the pair, NO_MERGE when it has none */
export function rankOf(slots: Int32Array, left: number, right: number): number {
  const slot = slotOf(slots, left, right);
  return slots[slot] === 0 ? NO_MERGE : (slots[slot + RANK] as number);
}

/** First word of the slot that holds the pair, or of the free slot where it belongs. */
function slotOf(slots: Int32Array, left: number, right: number): number {
  const mask = slots.length / WORDS - 1;
  for (let place = hashPair(left, right) & mask; ; place = (place + 1) & mask) {
    const slot = place * WORDS;
    if (slots[slot] === 0) return slot;
    if (slots[slot] === left + 1 && slots[slot + RIGHT] === right) return slot;
  }
}

/** 32 bits that depend on both ids; the low ones are good enough to index a table. */
export function hashPair(left: number, right: number): number {
  const hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
  return hash ^ (hash >>> 15);
}
