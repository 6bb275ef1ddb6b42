/**
 * Token ids in, token ids out, one at a time: prefill the prompt, sample, decode, sample, … The
 * generator owns one KV cache and so one timeline; a new `generate` starts it again from nothing.
 *
 * It reads the parameters of the store it is given and writes none, so that a training run can
 * hand over its own store between two steps. The text ends, with "length", when prompt and text
 * together fill the context: a model was never trained on positions beyond it, and a window that
 * slides would have to compute the whole cache again for each token.
 */
import type { Backend, Store } from "../../compute/backend.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Precision } from "../model/transformer.ts";
import { createPrograms, type InferencePrograms } from "./programs.ts";
import { checkCount, checkPrompt } from "./request.ts";
import { checkSampler, randomAt, type SamplerOptions, sampleToken } from "./sampler.ts";

export interface GeneratorOptions {
  readonly precision: Precision;
  /** Prompt and text together, in tokens; absent = the model's context, which is also the most. */
  readonly contextLen?: number;
  /** Prompt tokens in one run. */
  readonly chunk?: number;
}

export interface GenerateOptions extends SamplerOptions {
  /** New tokens at most; absent = until the context is full. */
  readonly maxTokens?: number | undefined;
  /** Of the random numbers: same seed, same text. */
  readonly seed: number;
  /** Ids below this are drawn; absent = all. A model's table may be longer than its tokenizer's. */
  readonly vocabSize?: number;
  /** Ids that end the text; they are not part of it. */
  readonly stop?: readonly number[];
  /** Ends the text before the next run. */
  readonly signal?: AbortSignal;
}

/** Why a text ended: a stop id, maxTokens or the end of the context, the signal. */
export type FinishReason = "stop" | "length" | "aborted";

export interface TokenGenerator {
  /** Tokens that prompt and text may have together. */
  readonly contextLen: number;
  /**
   * @returns the new ids one by one, then the reason
   * @throws CONFIG when an option breaks its rule, or the prompt is empty or fills the context;
   *   DIVERGED when no logit is finite
   */
  generate(
    promptIds: readonly number[],
    options: GenerateOptions,
  ): AsyncGenerator<number, FinishReason>;
  /** Frees programs; the cache stays in the store. */
  dispose(): Promise<void>;
}

const CHUNK = 64;

/** @throws CONFIG when contextLen exceeds the model's; SHAPE when the store has another's cache */
export function createGenerator(
  backend: Backend,
  store: Store,
  config: ModelConfig,
  options: GeneratorOptions,
): TokenGenerator {
  const { precision, contextLen = config.sequenceLen } = options;
  const chunk = Math.min(options.chunk ?? CHUNK, contextLen);
  checkCount("generate", "contextLen", contextLen, config.sequenceLen);
  checkCount("generate", "chunk", chunk, contextLen);
  const capacity = Math.ceil(contextLen / chunk) * chunk;
  const programs = createPrograms(backend, store, { config, precision, capacity, chunk });
  let busy = false;
  return {
    contextLen,
    async *generate(promptIds, options) {
      checkRequest(promptIds, options, contextLen, config.vocabSize);
      if (busy) throw new Error("generate: one text at a time, its cache holds one");
      busy = true;
      try {
        return yield* timeline(programs, promptIds, { ...options, chunk, contextLen });
      } finally {
        busy = false;
      }
    },
    dispose: () => programs.dispose(),
  };
}

interface TimelineOptions extends GenerateOptions {
  readonly chunk: number;
  readonly contextLen: number;
}

async function* timeline(
  programs: InferencePrograms,
  promptIds: readonly number[],
  options: TimelineOptions,
): AsyncGenerator<number, FinishReason> {
  const { maxTokens = Infinity, contextLen, vocabSize, seed, stop = [], signal } = options;
  const end = Math.min(contextLen, promptIds.length + maxTokens);
  await programs.begin();
  let logits = await prefill(programs, promptIds, options);
  for (let position = promptIds.length; logits !== undefined; position++) {
    const id = sampleToken(logits.subarray(0, vocabSize), options, randomAt(seed, position));
    if (stop.includes(id)) return "stop";
    yield id;
    if (position + 1 === end) return "length";
    logits = signal?.aborted ? undefined : await programs.decode(id, position);
  }
  return "aborted";
}

/** @returns logits of the last prompt token, or undefined when aborted */
async function prefill(
  programs: InferencePrograms,
  promptIds: readonly number[],
  { chunk, signal }: TimelineOptions,
): Promise<Float32Array | undefined> {
  let logits: Float32Array | undefined;
  for (let first = 0; first < promptIds.length; first += chunk) {
    if (signal?.aborted) return undefined;
    const ids = promptIds.slice(first, first + chunk);
    const padded = new Int32Array(chunk);
    padded.set(ids);
    logits = await programs.prefill(padded, first, ids.length - 1);
  }
  return logits;
}

function checkRequest(
  promptIds: readonly number[],
  options: GenerateOptions,
  contextLen: number,
  vocabSize: number,
): void {
  checkSampler(options);
  if (options.maxTokens !== undefined) checkCount("generate", "maxTokens", options.maxTokens);
  checkPrompt("generate", promptIds, contextLen, vocabSize);
}
