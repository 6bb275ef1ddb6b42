/**
 * Training batches as a pure function of (seed, step, microStep): row g of a run's conversations is
 * row g mod R of epoch ⌊g / R⌋, in an order of its own in every epoch. So each conversation comes
 * once an epoch, and resuming at any step is exact and costs nothing. Of the first n rows of a run
 * ⌊n · share⌋ are text, spread evenly.
 */
import { type Batch, createBatch, IGNORED } from "../data/sampling/batch.ts";
import { createPermutation, type Permutation } from "../data/sampling/permutation.ts";
import type { PackedRows } from "./pack.ts";

export interface RowSampler {
  batchAt(step: number, microStep: number): Batch;
}

/** Rows that are no conversations. */
export interface TextRows {
  /** Of all rows, below 1. */
  readonly share: number;
  /** Writes the `n`-th of them as row b of a batch. */
  write(n: number, batch: Batch, b: number): void;
}

/** @returns how many of the first `rows` rows of a run are text */
export function textRowsBefore(rows: number, share: number): number {
  return Math.floor(rows * share);
}

export interface SamplerOptions {
  readonly packed: PackedRows;
  /** A conversation's tokens, as `ConversationPool` codes them. */
  readonly coded: (item: number) => Int32Array;
  readonly seed: number;
  /** B, rows of a micro-batch. */
  readonly batchSize: number;
  /** Micro-batches of a step. */
  readonly gradAccumSteps: number;
  /** Put into positions that hold nothing. */
  readonly bos: number;
  readonly text?: TextRows | undefined;
}

export function createRowSampler(options: SamplerOptions): RowSampler {
  const { packed, seed, batchSize, gradAccumSteps, text } = options;
  const { rows, rowTokens } = packed;
  let last: { readonly epoch: number; readonly order: Permutation } | undefined;
  const rowAt = (g: number): number => {
    const epoch = Math.floor(g / rows);
    if (last?.epoch !== epoch)
      last = { epoch, order: createPermutation(rows, seed, EPOCHS, epoch) };
    return last.order(g - epoch * rows);
  };
  return {
    batchAt(step, microStep) {
      const batch = createBatch(batchSize, rowTokens - 1);
      const first = (step * gradAccumSteps + microStep) * batchSize;
      for (let b = 0; b < batchSize; b++) {
        const before = textRowsBefore(first + b, text?.share ?? 0);
        if (text !== undefined && textRowsBefore(first + b + 1, text.share) > before)
          text.write(before, batch, b);
        else writeRow(options, rowAt(first + b - before), batch, b);
      }
      return batch;
    },
  };
}

/** Tells the order of rows apart from other permutations under the same seed. */
const EPOCHS = 0x736674;

/** Writes packed row `row` as row b of a batch: targets are the learned tokens alone. */
export function writeRow(
  { packed, coded, bos }: Pick<SamplerOptions, "packed" | "coded" | "bos">,
  row: number,
  { inputs, targets }: Batch,
  b: number,
): void {
  const T = packed.rowTokens - 1;
  const at = b * T;
  inputs.fill(bos, at, at + T);
  targets.fill(IGNORED, at, at + T);
  let t = 0;
  const [from, to] = [packed.firstItem[row] as number, packed.firstItem[row + 1] as number];
  for (const item of packed.items.subarray(from, to)) {
    for (const token of coded(item)) {
      if (t < T) inputs[at + t] = token >> 1;
      if (t > 0 && (token & 1) === 1) targets[at + t - 1] = token >> 1;
      t++;
    }
  }
}
