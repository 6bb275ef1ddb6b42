/**
 * The bytes of all tokens one after another, with the place where each begins: decoding copies
 * from it in one pass, and it goes to another thread as two arrays.
 */

import { NutshellError } from "../../error.ts";

export interface TokenBytes {
  readonly bytes: Uint8Array;
  /** Token i lies in bytes[starts[i] … starts[i + 1]); one entry more than there are tokens. */
  readonly starts: Uint32Array;
}

export function packTokens(tokens: readonly Uint8Array[]): TokenBytes {
  const starts = new Uint32Array(tokens.length + 1);
  for (const [id, token] of tokens.entries()) {
    starts[id + 1] = (starts[id] as number) + token.length;
  }
  const bytes = new Uint8Array(starts[tokens.length] as number);
  for (const [id, token] of tokens.entries()) bytes.set(token, starts[id]);
  return { bytes, starts };
}

/** The bytes of `ids`, joined. @throws TOKENIZER for an id that is out of range */
export function joinTokens(
  { bytes, starts }: TokenBytes,
  ids: Iterable<number>,
): Uint8Array<ArrayBuffer> {
  const list =
    Array.isArray(ids) || ArrayBuffer.isView(ids) ? (ids as ArrayLike<number>) : [...ids];
  const joined = new Uint8Array(joinedLength(starts, list));
  let to = 0;
  for (let i = 0; i < list.length; i++) {
    const id = list[i] as number;
    const end = starts[id + 1] as number;
    for (let from = starts[id] as number; from < end; from++) joined[to++] = bytes[from] as number;
  }
  return joined;
}

function joinedLength(starts: Uint32Array, ids: ArrayLike<number>): number {
  const count = starts.length - 1;
  let length = 0;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] as number;
    if (!(id >= 0 && id < count && Number.isInteger(id))) throw unknownId(id, count);
    length += (starts[id + 1] as number) - (starts[id] as number);
  }
  return length;
}

export function unknownId(id: number, vocabSize: number): NutshellError {
  return new NutshellError(
    "TOKENIZER",
    `tokenizer: a token id lies in [0, ${vocabSize}), got ${id}. ` +
      "The ids come from another tokenizer; use the one stored beside the model.",
  );
}
