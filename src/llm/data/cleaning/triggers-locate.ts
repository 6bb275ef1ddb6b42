/**
 * All occurrences of chosen n-grams in the stream. The search for candidates saw a sample only.
 */

import type { TokenStream } from "./triggers-stream.ts";

/** Where an n-gram stands. */
export interface Located {
  readonly ids: Uint32Array;
  /** Numbers of the documents that hold it, rising. */
  readonly documents: Uint32Array;
  readonly occurrences: number;
  /** Its first occurrence in each document. */
  readonly positions: Uint32Array;
}

/** One pass over the stream for all n-grams together. */
export function locate(stream: TokenStream, grams: readonly Uint32Array[]): Located[] {
  const found = grams.map(() => ({ positions: [] as number[], last: -1, occurrences: 0 }));
  const byFirst = Map.groupBy(grams.keys(), (gram) => grams[gram]?.[0] as number);
  for (let position = 0; position < stream.length; position++) {
    const candidates = byFirst.get(stream.ids[position] as number);
    if (candidates === undefined) continue;
    for (const gram of candidates) {
      if (!standsAt(stream, position, grams[gram] as Uint32Array)) continue;
      const entry = found[gram] as (typeof found)[number];
      const document = stream.documentAt(position);
      if (entry.last !== document) entry.positions.push(position);
      entry.last = document;
      entry.occurrences++;
    }
  }
  return found.map(({ positions, occurrences }, gram) => ({
    ids: grams[gram] as Uint32Array,
    documents: Uint32Array.from(
      positions,
      (position) => stream.numbers[stream.documentAt(position)] as number,
    ),
    occurrences,
    positions: Uint32Array.from(positions),
  }));
}

function standsAt({ ids }: TokenStream, position: number, gram: Uint32Array): boolean {
  return gram.every((id, i) => ids[position + i] === id);
}
