/**
 * The rows of a source: which tokens stand in which row of T + 1 (T inputs, and each one's next
 * token). Planned at the start of a run from the lengths of the documents alone.
 *
 * With bos every row starts with it, and documents are packed best fit (see `pack.ts`). Without
 * bos the rows are consecutive windows that share one token. Either way no token is dropped or
 * seen twice in an epoch, padding stands in the last row only, and every token but bos (and the
 * very first one) is predicted exactly once.
 */
import { packDocuments } from "./pack.ts";
import type { RowPlan } from "./row-plan.ts";

/** @param starts of documents, see `TokenDocuments`  @param sequenceLen T */
export function planRows(
  starts: Float64Array | Uint32Array,
  hasBos: boolean,
  sequenceLen: number,
): RowPlan {
  return hasBos ? packDocuments(starts, sequenceLen + 1) : windowRows(starts, sequenceLen);
}

function windowRows(starts: Float64Array | Uint32Array, sequenceLen: number): RowPlan {
  const tokens = starts.at(-1) as number;
  const rows = Math.max(0, Math.ceil((tokens - 1) / sequenceLen));
  const pieceStart = Float64Array.from({ length: rows }, (_, r) => r * sequenceLen);
  const documents = starts.length - 1;
  const padding = rows === 0 ? 0 : rows * sequenceLen - (tokens - 1);
  return {
    ...{ rows, rowTokens: sequenceLen + 1, pieceStart },
    firstPiece: Uint32Array.from({ length: rows + 1 }, (_, r) => r),
    pieceSize: Uint32Array.from(
      pieceStart,
      (start) => 2 * Math.min(sequenceLen + 1, tokens - start),
    ),
    cuts: { documents, cutDocuments: 0, cutShortDocuments: 0, addedBos: 0, padding },
  };
}
