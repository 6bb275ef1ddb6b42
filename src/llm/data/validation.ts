/**
 * Validation batches: the tokens of one source in order, row after row, none twice, always the
 * same. Each batch knows its bytes, so a mean loss in nats becomes bits per byte:
 *
 *     bpb = Σ loss · tokens / (ln 2 · Σ bytes)
 */

import { type Batch, createBatch } from "./sampler.ts";
import type { TokenArray } from "./tokens.ts";

/** Targets that take no part in the loss. */
const IGNORED = -1;

export interface ValidationBatch extends Batch {
  /** Targets that count; the others are negative. */
  readonly tokens: number;
  /** UTF-8 bytes of the targets that count. */
  readonly bytes: number;
}

export interface ValidationOptions {
  readonly tokens: TokenArray;
  /** Bytes per token id, from `tokenByteCounts`; targets without bytes do not count. */
  readonly tokenBytes: Int32Array;
  readonly batchSize: number;
  readonly sequenceLen: number;
  /** Stop after this many batches; default all. */
  readonly maxBatches?: number;
}

/**
 * Rows that the tokens do not fill are ignored in full or in part, so every batch has the same
 * shape. Yields nothing for fewer than 2 tokens.
 */
export function* validationBatches(options: ValidationOptions): Generator<ValidationBatch> {
  const { tokens, batchSize, sequenceLen, maxBatches = Number.POSITIVE_INFINITY } = options;
  const stride = batchSize * sequenceLen;
  const count = Math.min(maxBatches, Math.ceil((tokens.length - 1) / stride));
  for (let index = 0; index < count; index++) yield batchFrom(options, index * stride);
}

function batchFrom(options: ValidationOptions, start: number): ValidationBatch {
  const { tokens, tokenBytes, batchSize, sequenceLen } = options;
  const batch = createBatch(batchSize, sequenceLen);
  batch.targets.fill(IGNORED);
  let bytes = 0;
  let counted = 0;
  const end = Math.min(batch.inputs.length, tokens.length - 1 - start);
  for (let i = 0; i < end; i++) {
    batch.inputs[i] = tokens[start + i] as number;
    const target = tokens[start + i + 1] as number;
    const size = tokenBytes[target] as number;
    if (size === 0) continue;
    batch.targets[i] = target;
    bytes += size;
    counted++;
  }
  return { ...batch, tokens: counted, bytes };
}

/** @param nats summed loss over the counted targets of `bytes` bytes */
export function bitsPerByte(nats: number, bytes: number): number {
  return nats / (Math.LN2 * bytes);
}
