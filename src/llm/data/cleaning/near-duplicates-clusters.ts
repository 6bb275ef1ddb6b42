/**
 * Union-find over document numbers: the root of a cluster is its least document, so the first in
 * corpus order stays.
 *
 * @see Tarjan 1975; path halving
 */

export class Clusters {
  readonly #parents: Int32Array;

  constructor(size: number) {
    this.#parents = Int32Array.from({ length: size }, (_, i) => i);
  }

  /** The least document that `document` is joined with, directly or through others. */
  first(document: number): number {
    let at = document;
    while (this.#parents[at] !== at) {
      const parent = this.#parents[at] as number;
      this.#parents[at] = this.#parents[parent] as number;
      at = this.#parents[at] as number;
    }
    return at;
  }

  join(a: number, b: number): void {
    const [low, high] = [this.first(a), this.first(b)].sort((x, y) => x - y) as [number, number];
    this.#parents[high] = low;
  }
}
