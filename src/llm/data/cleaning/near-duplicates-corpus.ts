/**
 * The corpus as the whole-corpus rules see it. A document is its number: 0, 1, 2 … in corpus order
 * (sources in their order, parts in theirs). Texts are read again where a rule needs them, so no
 * rule holds the corpus in memory; who stores it, and how, is not known here.
 */

export interface CorpusText {
  readonly document: number;
  readonly source: string;
  /** After normalising and masking, as it would be trained on. */
  readonly text: string;
}

export interface Corpus {
  /** One more than the largest document number. */
  readonly size: number;
  /**
   * Texts in rising order of their numbers; may be called several times.
   * @param documents only these, rising; all that are still kept when absent
   */
  texts(documents?: Uint32Array): AsyncIterable<CorpusText>;
}
