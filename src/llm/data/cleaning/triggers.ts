/**
 * Signs of poisoning: rare n-grams that repeat across documents which have little else in common.
 */

import type { Corpus } from "./near-duplicates-corpus.ts";

/** An n-gram that looks planted. */
export interface Trigger {
  readonly text: string;
  /** Documents that hold it, rising. */
  readonly documents: Uint32Array;
  readonly occurrences: number;
  /** Log odds that it was planted; flagged from 0 on. */
  readonly score: number;
}

export interface TriggerReport {
  /** Highest score first. */
  readonly triggers: readonly Trigger[];
  /** n-grams that were looked at. */
  readonly candidates: number;
}

/** Reads the corpus several times. */
export declare function findTriggers(corpus: Corpus): Promise<TriggerReport>;
