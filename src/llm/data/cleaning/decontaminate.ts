/**
 * Decontamination by 13-grams (Brown et al. 2020, appendix C): which documents hold text of an
 * evaluation set, and what to do with them.
 */

/**
 * The n-grams of all evaluation sets. Plain data over shared buffers: crosses into worker threads
 * by reference.
 */
export interface EvalIndex {
  /** SHA-256 hex of what it was built from: part of every cache key that hits depend on. */
  readonly hash: string;
  readonly sets: readonly EvalSet[];
  readonly table: SharedArrayBuffer;
  readonly grams: SharedArrayBuffer;
}

export interface EvalSet {
  /** The file's path below the folder of evaluation sets. */
  readonly name: string;
  readonly rows: number;
  /** Rows whose every form has fewer words than the shortest n-gram. */
  readonly tooShort: number;
}

/** Flat triples: gram, first and last-plus-one UTF-16 offset of the match in the text. */
export type EvalHits = Uint32Array;

/** Pure; runs in worker threads. @returns an empty array for nearly all documents */
export declare function findEvalHits(text: string, index: EvalIndex): EvalHits;

export interface DocumentHits {
  readonly document: number;
  readonly textLength: number;
  readonly hits: EvalHits;
}

/** A document that holds evaluation text: short ones are dropped, long ones lose the passage. */
export interface Contamination {
  readonly document: number;
  readonly action: "drop" | "cut";
  /** UTF-16 ranges to take out, rising; empty for "drop". */
  readonly cuts: readonly (readonly [start: number, end: number])[];
  /** Evaluation set and row of the longest match. */
  readonly set: string;
  readonly row: number;
  /** UTF-16 range of the longest match. */
  readonly match: readonly [start: number, end: number];
}

export interface ContaminationReport {
  readonly found: readonly Contamination[];
  /** Per evaluation set: documents that hold it, and its rows that were found. */
  readonly sets: readonly { name: string; documents: number; rows: number }[];
  /** n-grams left out as common phrases. */
  readonly commonPhrases: number;
}

export declare function judgeContamination(
  documents: Iterable<DocumentHits>,
  index: EvalIndex,
): ContaminationReport;
