/**
 * Near-duplicates of a whole corpus: candidates by MinHash bands and by sampled shingles, verified
 * on the texts, joined to clusters, one document of each kept.
 */

import type { Corpus } from "./near-duplicates-corpus.ts";

/** One document that goes because another one says the same. */
export interface NearDuplicate {
  readonly document: number;
  /** The document that stays instead. */
  readonly keeper: number;
  /** Exact Jaccard similarity of the two sets of five-word shingles. */
  readonly jaccard: number;
  /** Share of this document's words in five-word runs that the other one has too. */
  readonly coverage: number;
}

export interface NearDuplicateReport {
  readonly duplicates: readonly NearDuplicate[];
  /** Pairs compared on their texts. */
  readonly candidates: number;
  /** Candidates that comparison refused: the false positives of the signatures. */
  readonly refused: number;
}

/**
 * @param signatures of every document that is still kept, from `signDocument`
 * @param corpus gives the texts of candidates
 */
export declare function findNearDuplicates(
  signatures: AsyncIterable<DocumentSignature> | Iterable<DocumentSignature>,
  corpus: Corpus,
): Promise<NearDuplicateReport>;

export interface DocumentSignature {
  readonly document: number;
  /** What `signDocument` returned. */
  readonly signature: Uint8Array;
}
