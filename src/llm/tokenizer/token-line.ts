/**
 * All words of a training text as tokens, in one array with a cell for each byte. A token's first
 * cell holds its id; its last cell, when it has two bytes or more, its negated length; so the
 * tokens before and after a place are found without links, and merging two tokens writes two
 * cells. A border stands before, between and after the words.
 */

import type { TokenBytes } from "./token-bytes.ts";

const BORDER = -(2 ** 31);
/** A cell inside a token, which nothing reads. */
const INSIDE = -1;

export class TokenLine {
  readonly #cells: Int32Array;
  /** Bytes of each token, by id. */
  readonly #lengths: number[] = Array<number>(256).fill(1);

  /** @param words the bytes of all words; tokens 0–255 are the bytes */
  constructor({ bytes, starts }: TokenBytes) {
    this.#cells = new Int32Array(bytes.length + starts.length).fill(BORDER);
    for (let word = 0; word + 1 < starts.length; word++) {
      const [start, end] = [starts[word] as number, starts[word + 1] as number];
      this.#cells.set(bytes.subarray(start, end), start + word + 1);
    }
  }

  /** The place where a word's first token stands. */
  static placeOf(words: TokenBytes, word: number): number {
    return (words.starts[word] as number) + word + 1;
  }

  /** Gives the next id to the token that `left` and `right` make. */
  addToken(left: number, right: number): number {
    this.#lengths.push((this.#lengths[left] as number) + (this.#lengths[right] as number));
    return this.#lengths.length - 1;
  }

  /** Whether the pair stands at `place`, which once was the first cell of a token. */
  holds(place: number, left: number, right: number): boolean {
    if (this.#cells[place] !== left) return false;
    return this.#cells[place + (this.#lengths[left] as number)] === right;
  }

  /** Place of the token before the one at `place`, undefined at the beginning of a word. */
  tryPlaceBefore(place: number): number | undefined {
    const cell = this.#cells[place - 1] as number;
    if (cell === BORDER) return undefined;
    return cell >= 0 ? place - 1 : place + cell;
  }

  /** Id of the token at `place`. */
  idAt(place: number): number {
    return this.#cells[place] as number;
  }

  /** Id of the token after the pair at `place`, undefined at the end of a word. */
  tryIdAfter(place: number, left: number, right: number): number | undefined {
    const after = place + (this.#lengths[left] as number) + (this.#lengths[right] as number);
    const id = this.#cells[after] as number;
    return id === BORDER ? undefined : id;
  }

  /** Replaces the pair at `place` by the token it makes. */
  merge(place: number, left: number, token: number): void {
    const length = this.#lengths[token] as number;
    this.#cells[place + (this.#lengths[left] as number)] = INSIDE;
    this.#cells[place] = token;
    this.#cells[place + length - 1] = -length;
  }
}
