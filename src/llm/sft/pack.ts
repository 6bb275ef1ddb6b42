/**
 * Packing of whole conversations into rows of T + 1 tokens: row by row, the largest that still
 * fits, until nothing does. That is first-fit decreasing, which takes at most 11/9 of the fewest
 * rows, plus 6/9 of a row. No conversation is cut: what stays free at the end of a row is padding.
 *
 * Neighbours in a row see one another, as documents do in pretraining; each begins with bos.
 *
 * @see Dósa 2007, "The tight bound of first fit decreasing bin-packing algorithm"
 */
import { createSizePool } from "../data/sampling/size-pool.ts";

export interface PackedRows {
  readonly rows: number;
  /** T + 1. */
  readonly rowTokens: number;
  /** [rows + 1]: row r holds items [firstItem[r], firstItem[r + 1]). */
  readonly firstItem: Uint32Array;
  /** Numbers of conversations, each exactly once. */
  readonly items: Uint32Array;
  /** Positions that hold nothing. */
  readonly padding: number;
}

/**
 * @param sizes of conversations, 1 … rowTokens; of equal ones the last comes first
 * @param rowTokens T + 1
 */
export function packConversations(sizes: readonly number[], rowTokens: number): PackedRows {
  const pool = createSizePool(rowTokens, sizes.length);
  for (const [item, size] of sizes.entries()) pool.put(item, size);
  const firstItem = [0];
  const items = new Uint32Array(sizes.length);
  let [placed, padding] = [0, 0];
  while (placed < sizes.length) {
    let left = rowTokens;
    for (let size = pool.largest(left); size > 0; size = pool.largest(left)) {
      items[placed++] = pool.take(size);
      left -= size;
    }
    padding += left;
    firstItem.push(placed);
  }
  return {
    ...{ rows: firstItem.length - 1, rowTokens, items, padding },
    firstItem: Uint32Array.from(firstItem),
  };
}
