/**
 * How often token b follows token a: a table of fixed size, 8 cells to a bucket, each cell 20 bits
 * of the pair's hash and a count of 12 bits that stops at 4095. A full bucket gives up a pair seen
 * once, so what repeats stays (lossy counting, Manku and Motwani 2002); a lookup touches one cache
 * line.
 */

import { finish } from "./minhash-words.ts";

const BUCKET = 8;
const COUNT_BITS = 12;
export const MOST_COUNTED: number = (1 << COUNT_BITS) - 1;

export class PairCounts {
  readonly #cells: Uint32Array;
  readonly #mask: number;

  /** @param cells a power of two; 4 bytes each */
  constructor(cells: number) {
    this.#cells = new Uint32Array(cells);
    this.#mask = cells / BUCKET - 1;
  }

  add(a: number, b: number): void {
    const hash = finish(Math.imul(a, 0x9e3779b1) ^ finish(b + 0x632be5ab));
    const first = (hash & this.#mask) * BUCKET;
    const tag = tagOf(a, b);
    let free = -1;
    for (let at = first; at < first + BUCKET; at++) {
      const cell = this.#cells[at] as number;
      if (cell >>> COUNT_BITS === tag && cell !== 0) {
        if ((cell & MOST_COUNTED) < MOST_COUNTED) this.#cells[at] = cell + 1;
        return;
      }
      if ((cell & MOST_COUNTED) <= 1 && (free < 0 || cell === 0)) free = at;
      if (cell === 0) break;
    }
    if (free >= 0) this.#cells[free] = ((tag << COUNT_BITS) | 1) >>> 0;
  }

  count(a: number, b: number): number {
    const hash = finish(Math.imul(a, 0x9e3779b1) ^ finish(b + 0x632be5ab));
    const first = (hash & this.#mask) * BUCKET;
    const tag = tagOf(a, b);
    for (let at = first; at < first + BUCKET; at++) {
      const cell = this.#cells[at] as number;
      if (cell === 0) return 0;
      if (cell >>> COUNT_BITS === tag) return cell & MOST_COUNTED;
    }
    return 0;
  }
}

function tagOf(a: number, b: number): number {
  return finish(Math.imul(a, 0x85ebca6b) + b) >>> COUNT_BITS;
}
