/**
 * Keeps a source within a byte budget by a sample that is even over its whole range: long
 * documents are cut into parts, parts are taken in hash order until the budget is full, and what
 * was taken goes back into its original order. Deterministic: no seed, no clock.
 */

import { type Document, type Source, totalBytes, utf8Length } from "./document.ts";
import { hashText } from "./hash.ts";

/** A document longer than this many characters is thinned in parts. */
const PART_LENGTH = 1 << 16;

/** Validation text kept, as a share of what is kept for training. */
const VALIDATION_SHARE = 0.04;

/**
 * Shares `maxBytes` among the sources by weight; a source smaller than its share stays whole and
 * leaves the rest to the others.
 */
export function thinMixture(sources: readonly Source[], maxBytes: number): Source[] {
  const sizes = sources.map(({ train }) => totalBytes(train));
  const quotas = shareBytes(sizes, sources, maxBytes);
  return sources.map((source, i) => {
    const quota = quotas[i] as number;
    if (quota >= (sizes[i] as number)) return source;
    return {
      ...source,
      train: thinDocuments(source.train, quota),
      validation: thinDocuments(source.validation, quota * VALIDATION_SHARE),
    };
  });
}

/** Sources are settled from the smallest in proportion to its weight, so what it spares goes on. */
function shareBytes(
  sizes: readonly number[],
  sources: readonly Source[],
  maxBytes: number,
): number[] {
  const quotas = sizes.map(() => 0);
  const weightOf = (i: number) => (sources[i] as Source).weight;
  const order = [...sizes.keys()].sort(
    (a, b) => (sizes[a] as number) / weightOf(a) - (sizes[b] as number) / weightOf(b),
  );
  let bytes = maxBytes;
  let weight = order.reduce((sum, i) => sum + weightOf(i), 0);
  for (const i of order) {
    const quota = Math.min(sizes[i] as number, (bytes * weightOf(i)) / weight);
    quotas[i] = quota;
    bytes -= quota;
    weight -= weightOf(i);
  }
  return quotas;
}

/** @returns parts of `documents` of at least `maxBytes` in all, by at most one part too much */
function thinDocuments(documents: readonly Document[], maxBytes: number): Document[] {
  const parts = documents.flatMap(cutLong);
  const order = [...parts.keys()].sort((a, b) => partHash(parts, a) - partHash(parts, b));
  const taken: number[] = [];
  let bytes = 0;
  for (const index of order) {
    if (bytes >= maxBytes) break;
    taken.push(index);
    bytes += utf8Length((parts[index] as Document).text);
  }
  return taken.sort((a, b) => a - b).map((index) => parts[index] as Document);
}

function partHash(parts: readonly Document[], index: number): number {
  return hashText(`thin ${(parts[index] as Document).id}`);
}

/** Cuts at the last line break inside each stretch, or by length where there is none. */
function cutLong(document: Document): Document[] {
  const { id, text } = document;
  if (text.length <= PART_LENGTH) return [document];
  const parts: Document[] = [];
  for (let start = 0; start < text.length; ) {
    const limit = start + PART_LENGTH;
    const line = limit >= text.length ? text.length : text.lastIndexOf("\n", limit) + 1;
    const end = line > start ? line : limit;
    parts.push({ id: `${id}#${parts.length}`, text: text.slice(start, end) });
    start = end;
  }
  return parts;
}
