/**
 * Training batches as a pure function of (seed, step, microStep): each row draws a source by
 * weight and an offset into its tokens from a counter-based generator. Nothing is remembered, so
 * resuming at any step is exact and costs nothing, and the order of calls does not matter.
 */

import { philox } from "../../compute/philox.ts";
import { NutshellError } from "../../error.ts";
import type { TokenArray } from "./tokens.ts";

/** One batch; row b holds positions [b * T, (b + 1) * T). */
export interface Batch {
  /** [B, T] token ids */
  readonly inputs: Int32Array;
  /** [B, T] the token after each input */
  readonly targets: Int32Array;
}

export interface SamplerOptions {
  readonly sources: readonly {
    readonly name: string;
    readonly weight: number;
    readonly tokens: TokenArray;
  }[];
  readonly seed: number;
  /** B, rows of a micro-batch. */
  readonly batchSize: number;
  /** T, tokens of a row. */
  readonly sequenceLen: number;
}

export interface Sampler {
  /** @param out filled and returned when given, so that no memory is allocated */
  batchAt(step: number, microStep: number, out?: Batch): Batch;
}

/** Separates these draws from other streams of the same seed. */
const STREAM = 0x64617461;

/** @throws DATA when a source is shorter than one row, CONFIG when the weights leave no source */
export function createSampler(options: SamplerOptions): Sampler {
  const { seed, batchSize, sequenceLen } = options;
  const sources = options.sources.filter(({ weight }) => weight > 0);
  for (const { name, tokens } of sources) requireLength(name, tokens.length, sequenceLen);
  const bounds = cumulativeShares(sources.map(({ weight }) => weight));
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];

  function fillRow(out: Batch, row: number, words: readonly number[]): void {
    const share = (words[0] as number) / 2 ** 32;
    const { tokens } = sources[bounds.findIndex((bound) => share < bound)] as {
      tokens: TokenArray;
    };
    const offset = Math.floor(((words[1] as number) / 2 ** 32) * (tokens.length - sequenceLen));
    out.inputs.set(tokens.subarray(offset, offset + sequenceLen), row * sequenceLen);
    out.targets.set(tokens.subarray(offset + 1, offset + 1 + sequenceLen), row * sequenceLen);
  }

  return {
    batchAt(step, microStep, out = createBatch(batchSize, sequenceLen)): Batch {
      for (let row = 0; row < batchSize; row++) {
        fillRow(out, row, philox([step, microStep, row, STREAM], key));
      }
      return out;
    },
  };
}

export function createBatch(batchSize: number, sequenceLen: number): Batch {
  const length = batchSize * sequenceLen;
  return { inputs: new Int32Array(length), targets: new Int32Array(length) };
}

/** @throws DATA when `length` tokens cannot fill one row and its last target */
function requireLength(name: string, length: number, sequenceLen: number): void {
  if (length > sequenceLen) return;
  throw new NutshellError(
    "DATA",
    `${name}: a source must be longer than the context, got ${length} tokens for a context of ` +
      `${sequenceLen}. Add text, leave the source out, or pass a smaller --sequence-len.`,
  );
}

/** Upper bounds of each source's share of [0, 1); the last is exactly 1. */
function cumulativeShares(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0 && Number.isFinite(total))) {
    throw new NutshellError(
      "CONFIG",
      `sampler: weights must have a positive sum, got ${JSON.stringify(weights)}. ` +
        "Give at least one source a weight above 0.",
    );
  }
  let sum = 0;
  const bounds = weights.map((weight) => {
    sum += weight;
    return sum / total;
  });
  bounds[bounds.length - 1] = 1;
  return bounds;
}
