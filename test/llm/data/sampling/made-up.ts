/** Sources and plans for tests: every token names its source, document and place. */
import type { MixturePlan } from "../../../../src/llm/data/mixture/plan.ts";
import {
  type TokenSource,
  tokenDocuments,
} from "../../../../src/llm/data/shards/token-documents.ts";

export const BOS = 0;

/** Documents of these lengths, bos included; all other tokens count up from `first`. */
export function numberedDocuments(lengths: readonly number[], first = 1, bos = true): number[][] {
  let next = first;
  return lengths.map((length) => Array.from({ length }, (_, i) => (bos && i === 0 ? BOS : next++)));
}

export function sourceOf(name: string, documents: number[][], bos = true): TokenSource {
  const side = tokenDocuments(documents);
  const none = tokenDocuments([]);
  return { name, weight: 1, bos: bos ? BOS : undefined, train: side, validation: none };
}

/** Shares from one line to another; each list of `points` holds a share per source. */
export function planOf(rows: number, ...points: readonly (readonly number[])[]): MixturePlan {
  const parts = Math.max(1, points.length - 1);
  const segments: MixturePlan["segments"][number][] = [];
  let rowsBefore = (points[0] as number[]).map(() => 0);
  for (let i = 0; i < parts; i++) {
    const [fromRow, toRow] = [i, i + 1].map((k) => Math.round((k * rows) / parts)) as [
      number,
      number,
    ];
    if (fromRow === toRow) continue; // A plan has no empty segments.
    const [sharesAtStart, sharesAtEnd] = [points[i], points[i + 1] ?? points[i]] as [
      number[],
      number[],
    ];
    segments.push({ fromRow, toRow, sharesAtStart, sharesAtEnd, rowsBefore });
    rowsBefore = rowsBefore.map(
      (n, k) =>
        n + ((toRow - fromRow) * ((sharesAtStart[k] as number) + (sharesAtEnd[k] as number))) / 2,
    );
  }
  return { names: (points[0] as number[]).map((_, i) => `source ${i}`), rows, segments };
}
