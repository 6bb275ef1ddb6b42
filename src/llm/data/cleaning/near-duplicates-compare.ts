/**
 * How alike two documents are, from their shingles in text order, exactly.
 */

export interface Likeness {
  /** |A ∩ B| / |A ∪ B| of the sets of shingles. */
  readonly jaccard: number;
  /** Share of A's words that lie in shingles of B, and of B's in A's. */
  readonly coverage: readonly [ofA: number, ofB: number];
}

/** Shingles of a document with their set. */
export interface ShingledText {
  readonly words: number;
  readonly shingles: Uint32Array;
  readonly set: ReadonlySet<number>;
}

export function compareShingles(a: ShingledText, b: ShingledText): Likeness {
  let common = 0;
  const [few, many] = a.set.size < b.set.size ? [a.set, b.set] : [b.set, a.set];
  for (const hash of few) if (many.has(hash)) common++;
  const union = a.set.size + b.set.size - common;
  return {
    jaccard: union === 0 ? 1 : common / union,
    coverage: [coverage(a, b.set), coverage(b, a.set)],
  };
}

/** A shingle found in the other document covers its words; a word is counted once. */
function coverage({ words, shingles }: ShingledText, other: ReadonlySet<number>): number {
  const size = words - shingles.length + 1;
  let covered = 0;
  let end = 0;
  for (let i = 0; i < shingles.length; i++) {
    if (!other.has(shingles[i] as number)) continue;
    covered += i + size - Math.max(end, i);
    end = i + size;
  }
  return words === 0 ? 1 : covered / words;
}
