/**
 * All occurrences of chosen n-grams in the stream. The search for candidates saw a sample only.
 */

import type { TokenStream } from "./triggers-stream.ts";

export interface Located {
  readonly text: string;
  readonly documents: Uint32Array;
  readonly occurrences: number;
  readonly score: number;
}

interface Gram {
  readonly ids: Uint32Array;
  readonly score: number;
}

export function locate(stream: TokenStream, grams: readonly Gram[]): Located[] {
  const found = grams.map(() => ({ documents: new Set<number>(), occurrences: 0 }));
  const byFirst = Map.groupBy(grams.keys(), (gram) => (grams[gram] as Gram).ids[0] as number);
  for (let position = 0; position < stream.length; position++) {
    for (const gram of byFirst.get(stream.ids[position] as number) ?? []) {
      if (!standsAt(stream, position, (grams[gram] as Gram).ids)) continue;
      const entry = found[gram] as (typeof found)[number];
      entry.occurrences++;
      entry.documents.add(stream.numbers[stream.documentAt(position)] as number);
    }
  }
  return found.map(({ documents, occurrences }, gram) => {
    const { ids, score } = grams[gram] as Gram;
    const text = Array.from(ids, (id) => stream.texts[id]).join(" ");
    return { text, documents: Uint32Array.from(documents), occurrences, score };
  });
}

function standsAt({ ids }: TokenStream, position: number, gram: Uint32Array): boolean {
  return gram.every((id, i) => ids[position + i] === id);
}
