/**
 * Validation batches: the held-out rows of one source in order, packed as in training, none twice,
 * always the same. Each batch knows its bytes, so a mean loss in nats becomes bits per byte:
 *
 *     bpb = Σ loss · tokens / (ln 2 · Σ bytes)
 */
import type { TokenDocuments } from "../shards/token-documents.ts";
import { type Batch, createBatch, createRowWriter, IGNORED } from "./batch.ts";
import { planRows } from "./plan-rows.ts";

export interface ValidationBatch extends Batch {
  /** Targets that count; the others are negative. */
  readonly tokens: number;
  /** UTF-8 bytes of the targets that count. */
  readonly bytes: number;
}

export interface ValidationOptions {
  readonly documents: TokenDocuments;
  readonly bos: number | undefined;
  /** Bytes per token id, from `tokenByteCounts`; targets without bytes do not count. */
  readonly tokenBytes: Int32Array;
  readonly batchSize: number;
  readonly sequenceLen: number;
  /** At most this many batches, of rows spread evenly over all of them; default all. */
  readonly maxBatches?: number;
}

/**
 * Every batch has the same shape; rows that are missing in the last one are ignored. Yields
 * nothing for fewer than 2 tokens.
 */
export function* validationBatches(options: ValidationOptions): Generator<ValidationBatch> {
  const { documents, bos, batchSize, sequenceLen, maxBatches = Infinity } = options;
  const plan = planRows(documents.starts, bos !== undefined, sequenceLen);
  if (documents.tokens.length < 2) return;
  const writer = createRowWriter(documents.tokens, plan, bos);
  const count = Math.min(plan.rows, maxBatches * batchSize);
  for (let first = 0; first < count; first += batchSize) {
    const batch = createBatch(batchSize, sequenceLen);
    batch.targets.fill(IGNORED);
    for (let b = 0; b < batchSize && first + b < count; b++)
      writer.write(Math.floor(((first + b) * plan.rows) / count), batch, b);
    yield countTargets(batch, options.tokenBytes);
  }
}

/** Targets without bytes, bos above all, stop counting. */
function countTargets(batch: Batch, tokenBytes: Int32Array): ValidationBatch {
  const { targets } = batch;
  let [tokens, bytes] = [0, 0];
  for (let i = 0; i < targets.length; i++) {
    const size = targets[i] === IGNORED ? 0 : (tokenBytes[targets[i] as number] as number);
    if (size === 0) targets[i] = IGNORED;
    else tokens++;
    bytes += size;
  }
  return { ...batch, tokens, bytes };
}

/** @param nats summed loss over the counted targets of `bytes` bytes */
export function bitsPerByte(nats: number, bytes: number): number {
  return nats / (Math.LN2 * bytes);
}
