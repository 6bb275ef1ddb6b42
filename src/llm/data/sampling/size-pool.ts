/**
 * Numbered items by size, for packing: the largest that still fits is found in a few machine
 * words. Sizes are 1 … maxSize; of equal sizes the last one put in comes out first.
 */

export interface SizePool {
  put(item: number, size: number): void;
  /** @returns the largest size of at most `limit` that any item has, 0 when there is none */
  largest(limit: number): number;
  /** Takes out an item of a size that `largest` returned. */
  take(size: number): number;
}

/** @param items numbers of items lie in [0, items) */
export function createSizePool(maxSize: number, items: number): SizePool {
  const top = new Int32Array(maxSize + 1).fill(-1);
  const below = new Int32Array(items);
  // Bit s says that items of size s are there.
  const words = new Int32Array((maxSize >> 5) + 1);
  return {
    put(item, size) {
      below[item] = top[size] as number;
      top[size] = item;
      words[size >> 5] = (words[size >> 5] as number) | (1 << (size & 31));
    },
    largest(limit) {
      let at = limit >> 5;
      // Of the first word only the bits up to `limit` count.
      const above = 31 - (limit & 31);
      let word = ((words[at] as number) << above) >>> above;
      while (word === 0 && at > 0) word = words[--at] as number;
      return word === 0 ? 0 : (at << 5) + 31 - Math.clz32(word);
    },
    take(size) {
      const item = top[size] as number;
      top[size] = below[item] as number;
      if (top[size] < 0) words[size >> 5] = (words[size >> 5] as number) & ~(1 << (size & 31));
      return item;
    },
  };
}
