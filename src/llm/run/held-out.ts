/**
 * Loss on held-out text. Per source: bits per byte. Over all: the same for text in the proportions
 * of the mixture, Σ w·nats / (ln 2 · Σ w·bytes), each per token and w a source's share of tokens.
 */
import type { Backend, Program, Store } from "../../compute/backend.ts";
import { input } from "../../compute/graph.ts";
import { bitsPerByte, validationBatches } from "../data/sampling/validation.ts";
import type { TokenSource } from "../data/shards/token-documents.ts";
import type { ModelConfig } from "../model/config.ts";
import { lossSum, modelParameters, type Precision } from "../model/transformer.ts";

export interface Evaluation {
  /** Bits per byte of the mixture. */
  readonly bpb: number;
  /** Mean over tokens in the mixture's proportions, in nats. */
  readonly loss: number;
  /** Bits per byte by source. */
  readonly sources: Readonly<Record<string, number>>;
}

export interface HeldOutOptions {
  readonly batchSize: number;
  readonly sequenceLen: number;
  /** Batches of each source; absent = all. */
  readonly evalBatches?: number | undefined;
  readonly precision: Precision;
}

export interface Evaluator {
  /** @returns undefined when `signal` aborts in between */
  run(signal: AbortSignal): Promise<Evaluation | undefined>;
  dispose(): void;
}

interface Totals {
  nats: number;
  tokens: number;
  bytes: number;
}

/** @param tokenBytes bytes per token id */
export async function compileEvaluator(
  backend: Backend,
  store: Store,
  model: ModelConfig,
  config: HeldOutOptions,
  sources: readonly TokenSource[],
  tokenBytes: Int32Array,
): Promise<Evaluator> {
  const shape = [config.batchSize, config.sequenceLen];
  const [tokens, targets] = [input("tokens", shape, "i32"), input("targets", shape, "i32")];
  const { sum } = lossSum(model, modelParameters(model), tokens, targets, config.precision);
  const program = await backend.compile({ outputs: { sum } }, store);
  const held = sources.filter(({ validation }) => validation.tokens.length > 1);
  return {
    async run(signal) {
      const all = new Map<TokenSource, Totals>();
      for (const source of held) {
        const totals = await sumLosses(program, source, config, tokenBytes, signal);
        if (totals === undefined) return undefined;
        all.set(source, totals);
      }
      return combine(all);
    },
    dispose: () => program.dispose(),
  };
}

async function sumLosses(
  program: Program,
  { validation, bos }: TokenSource,
  { batchSize, sequenceLen, evalBatches }: HeldOutOptions,
  tokenBytes: Int32Array,
  signal: AbortSignal,
): Promise<Totals | undefined> {
  const totals = { nats: 0, tokens: 0, bytes: 0 };
  const limit = evalBatches === undefined ? {} : { maxBatches: evalBatches };
  const options = { documents: validation, bos, tokenBytes, batchSize, sequenceLen, ...limit };
  for (const { inputs, targets, tokens, bytes } of validationBatches(options)) {
    if (signal.aborted) return undefined;
    const { sum } = await program.run({ tokens: inputs, targets });
    totals.nats += sum?.[0] as number;
    totals.tokens += tokens;
    totals.bytes += bytes;
  }
  return totals;
}

/** A source counts by its weight, however much of it was measured. */
function combine(all: ReadonlyMap<TokenSource, Totals>): Evaluation {
  let [nats, bytes, weights] = [0, 0, 0];
  for (const [{ weight }, totals] of all) {
    nats += (weight * totals.nats) / totals.tokens;
    bytes += (weight * totals.bytes) / totals.tokens;
    weights += weight;
  }
  const bySource = [...all].map(([{ name }, sums]) => [name, bitsPerByte(sums.nats, sums.bytes)]);
  return {
    bpb: bitsPerByte(nats, bytes),
    loss: nats / weights,
    sources: Object.fromEntries(bySource),
  };
}
