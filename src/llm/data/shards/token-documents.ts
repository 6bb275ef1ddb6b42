/**
 * Documents as tokens, as training reads them: one long sequence per side of a source and where in
 * it each document starts. The sequence may lie in memory or in mapped shard files; readers only
 * copy stretches of it.
 *
 * Invariant: document i is tokens [starts[i], starts[i + 1]); it begins with bos where the
 * tokenizer has one.
 */

/** 16 bits a token where the vocabulary allows, else 32. */
export type TokenArray = Uint16Array | Int32Array;

export interface TokenReader {
  readonly length: number;
  /**
   * Writes tokens [start, start + count) to `out`, from `at` on.
   * @throws DATA when they lie in a damaged stretch of a shard
   */
  copyTo(out: Int32Array, at: number, start: number, count: number): void;
}

export interface TokenDocuments {
  readonly tokens: TokenReader;
  /** One more than there are documents; the last is the number of tokens. */
  readonly starts: Float64Array | Uint32Array;
}

export interface TokenSource {
  readonly name: string;
  /** Share of training rows, relative to the other sources. */
  readonly weight: number;
  readonly maxEpochs?: number;
  /** Starts every document; undefined in a vocabulary without such a token. */
  readonly bos: number | undefined;
  readonly train: TokenDocuments;
  readonly validation: TokenDocuments;
}

/** Documents that lie in memory, one list of tokens each, bos included. */
export function tokenDocuments(documents: readonly ArrayLike<number>[]): TokenDocuments {
  const starts = new Float64Array(documents.length + 1);
  for (const [i, { length }] of documents.entries()) starts[i + 1] = (starts[i] as number) + length;
  const all = new Int32Array(starts[documents.length] as number);
  for (const [i, document] of documents.entries()) all.set(document, starts[i] as number);
  return { tokens: readerOf(all), starts };
}

function readerOf(tokens: TokenArray): TokenReader {
  return {
    length: tokens.length,
    copyTo(out, at, start, count) {
      for (let i = 0; i < count; i++) out[at + i] = tokens[start + i] as number;
    },
  };
}
