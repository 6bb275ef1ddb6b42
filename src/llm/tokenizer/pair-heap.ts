/** A binary heap of small integers in the order that the caller defines: training's pairs. */

export class PairHeap {
  #pairs = new Int32Array(1024);
  #size = 0;
  readonly #before: (a: number, b: number) => boolean;

  /** @param before whether a leaves the heap before b; must not change for what is in the heap */
  constructor(before: (a: number, b: number) => boolean) {
    this.#before = before;
  }

  push(pair: number): void {
    if (this.#size === this.#pairs.length) {
      const larger = new Int32Array(2 * this.#size);
      larger.set(this.#pairs);
      this.#pairs = larger;
    }
    const pairs = this.#pairs;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(pair, pairs[parent] as number)) break;
      pairs[at] = pairs[parent] as number;
      at = parent;
    }
    pairs[at] = pair;
  }

  /** Removes the first pair. @returns undefined when the heap is empty */
  tryPop(): number | undefined {
    if (this.#size === 0) return undefined;
    const pairs = this.#pairs;
    const first = pairs[0] as number;
    const size = --this.#size;
    const moved = pairs[size] as number;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && this.#before(pairs[child + 1] as number, pairs[child] as number)) {
        child++;
      }
      if (!this.#before(pairs[child] as number, moved)) break;
      pairs[at] = pairs[child] as number;
      at = child;
    }
    pairs[at] = moved;
    return first;
  }
}
