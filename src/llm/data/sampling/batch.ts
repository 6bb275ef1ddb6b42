/** A batch, and how one planned row is written into it. */
import type { TokenReader } from "../shards/token-documents.ts";
import type { RowPlan } from "./row-plan.ts";

/** Row b holds positions [b * T, (b + 1) * T). */
export interface Batch {
  /** [B, T] token ids */
  readonly inputs: Int32Array;
  /** [B, T] the token after each input; negative where it does not count */
  readonly targets: Int32Array;
}

/** Targets that take no part in the loss. */
export const IGNORED = -1;

export function createBatch(batchSize: number, sequenceLen: number): Batch {
  const length = batchSize * sequenceLen;
  return { inputs: new Int32Array(length), targets: new Int32Array(length) };
}

/** Writes rows of one source into batches, through a row of its own: no memory is allocated. */
export interface RowWriter {
  write(row: number, batch: Batch, b: number): void;
}

/** @param bos put where a plan asks for it, and into positions that hold nothing; 0 without one */
export function createRowWriter(tokens: TokenReader, plan: RowPlan, bos = 0): RowWriter {
  const { rowTokens, firstPiece, pieceStart, pieceSize } = plan;
  const sequenceLen = rowTokens - 1;
  const row = new Int32Array(rowTokens);

  /** @returns the positions that hold tokens */
  function gather(index: number): number {
    let at = 0;
    for (let p = firstPiece[index] as number; p < (firstPiece[index + 1] as number); p++) {
      const size = pieceSize[p] as number;
      if (size % 2 === 1) row[at++] = bos;
      tokens.copyTo(row, at, pieceStart[p] as number, size >>> 1);
      at += size >>> 1;
    }
    return at;
  }

  return {
    write(index, { inputs, targets }, b) {
      const filled = gather(index);
      const at = b * sequenceLen;
      for (let t = 0; t < sequenceLen; t++) {
        inputs[at + t] = t < filled ? (row[t] as number) : bos;
        targets[at + t] = t + 1 < filled ? (row[t + 1] as number) : IGNORED;
      }
    },
  };
}
