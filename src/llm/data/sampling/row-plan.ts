/** A plan of rows: pieces of documents, in the order in which they fill T + 1 positions each. */
export interface RowPlan {
  readonly rows: number;
  /** T + 1. */
  readonly rowTokens: number;
  /** [rows + 1]: row r holds pieces [firstPiece[r], firstPiece[r + 1]). */
  readonly firstPiece: Uint32Array;
  /** Where a piece starts among the tokens of its source. */
  readonly pieceStart: Float64Array;
  /** Twice its tokens, plus 1 where bos is put before them. */
  readonly pieceSize: Uint32Array;
  readonly cuts: CutCounts;
}

/** What the packing costs. */
export interface CutCounts {
  readonly documents: number;
  /** Documents in more than one piece. */
  readonly cutDocuments: number;
  /** Those of them that would have fitted into one row. */
  readonly cutShortDocuments: number;
  /** Bos put in beside those of the documents. */
  readonly addedBos: number;
  /** Positions that hold nothing. */
  readonly padding: number;
}
