/** A binary min-heap of numbers in a growing typed array. */

export class NumberHeap {
  #numbers = new Float64Array(256);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(number: number): void {
    if (this.#size === this.#numbers.length) {
      const larger = new Float64Array(2 * this.#size);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    const numbers = this.#numbers;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((numbers[parent] as number) <= number) break;
      numbers[at] = numbers[parent] as number;
      at = parent;
    }
    numbers[at] = number;
  }

  /** Removes the smallest number; the heap must not be empty. */
  pop(): number {
    const numbers = this.#numbers;
    const smallest = numbers[0] as number;
    const size = --this.#size;
    const moved = numbers[size] as number;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && (numbers[child + 1] as number) < (numbers[child] as number)) child++;
      if (moved <= (numbers[child] as number)) break;
      numbers[at] = numbers[child] as number;
      at = child;
    }
    numbers[at] = moved;
    return smallest;
  }
}
