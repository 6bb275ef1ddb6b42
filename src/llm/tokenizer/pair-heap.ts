/**
 * A binary min-heap of (key, value) pairs of numbers in two parallel arrays: the smallest key
 * first, among equal keys the smallest value. Used by training (most frequent pair, negated
 * count) and by encoding (lowest merge rank, leftmost position).
 */

export class PairHeap {
  #keys: number[] = [];
  #values: number[] = [];

  get size(): number {
    return this.#keys.length;
  }

  push(key: number, value: number): void {
    const keys = this.#keys;
    const values = this.#values;
    let at = keys.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const parentKey = keys[parent] as number;
      const parentValue = values[parent] as number;
      if (parentKey < key || (parentKey === key && parentValue <= value)) break;
      keys[at] = parentKey;
      values[at] = parentValue;
      at = parent;
    }
    keys[at] = key;
    values[at] = value;
  }

  /** Removes the first pair. @returns [key, value], or undefined when the heap is empty */
  tryPop(): [key: number, value: number] | undefined {
    const key = this.#keys[0];
    const value = this.#values[0];
    if (key === undefined || value === undefined) return undefined;
    const lastKey = this.#keys.pop() as number;
    const lastValue = this.#values.pop() as number;
    if (this.#keys.length > 0) this.#sink(lastKey, lastValue);
    return [key, value];
  }

  #sink(key: number, value: number): void {
    const keys = this.#keys;
    const values = this.#values;
    let at = 0;
    for (let child = 1; child < keys.length; child = 2 * at + 1) {
      if (child + 1 < keys.length && this.#before(child + 1, child)) child++;
      const childKey = keys[child] as number;
      const childValue = values[child] as number;
      if (key < childKey || (key === childKey && value <= childValue)) break;
      keys[at] = childKey;
      values[at] = childValue;
      at = child;
    }
    keys[at] = key;
    values[at] = value;
  }

  #before(a: number, b: number): boolean {
    const keyA = this.#keys[a] as number;
    const keyB = this.#keys[b] as number;
    return (
      keyA < keyB || (keyA === keyB && (this.#values[a] as number) < (this.#values[b] as number))
    );
  }
}
