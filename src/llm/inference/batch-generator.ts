/**
 * Many texts at once: requests in, trajectories out, with what reinforcement learning needs of each
 * (which tokens the model chose, their log-probabilities, the entropies). Continuous batching: a
 * slot that is done takes the next request. What a request becomes depends on the model and on the
 * request alone, to the last bit: not on its slot, its neighbours or the order of requests.
 */
import type { Backend, Store } from "../../compute/backend.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Precision } from "../model/transformer.ts";
import type { FinishReason } from "./generator.ts";

/** After a sampled id: sample on; end here; these ids are forced next, then sample on. */
export type Follow = "go" | "stop" | readonly number[];

export interface BatchRequest {
  readonly prompt: readonly number[];
  /** Of the random numbers: same seed, same text. */
  readonly seed: number;
  /** Sampled ids at most; forced ones do not count. */
  readonly maxTokens: number;
  /** 0 = the likeliest token, always; 1 = the model's own distribution. */
  readonly temperature: number;
  /** Asked once for each sampled id that is no stop id. */
  readonly follow?: (id: number) => Follow;
  /** Ids that end the text; the one that does is its last. */
  readonly stop?: readonly number[];
}

export interface Trajectory {
  readonly promptLength: number;
  /** The prompt and all that followed, the stop id included. */
  readonly ids: Int32Array;
  /** 1 where the model chose ids[i]. */
  readonly sampled: Uint8Array;
  /** ln p(ids[i]) of the model itself, at temperature 1; 0 where ids[i] was not sampled. */
  readonly logprobs: Float32Array;
  /** Of the distribution that ids[i] was drawn from, at temperature 1, in nats; else 0. */
  readonly entropies: Float32Array;
  readonly finishReason: FinishReason;
}

export interface BatchGeneratorOptions {
  readonly precision: Precision;
  /** Texts at once. */
  readonly slots: number;
  /** Prompt and text together, in tokens; absent = the model's context, which is also the most. */
  readonly contextLen?: number;
  /** Known tokens of one row in one prefill run. */
  readonly chunk?: number;
  /** Ids below this are drawn; absent = all. A model's table may be longer than its tokenizer's. */
  readonly vocabSize?: number;
}

export interface BatchGenerator {
  /** Trajectories in the order in which they end; `index` is the request's. */
  generate(
    requests: readonly BatchRequest[],
    options?: { readonly signal?: AbortSignal },
  ): AsyncGenerator<{ readonly index: number; readonly trajectory: Trajectory }>;
  /** Frees programs; the cache stays in the store. */
  dispose(): Promise<void>;
}

export declare function createBatchGenerator(
  backend: Backend,
  store: Store,
  config: ModelConfig,
  options: BatchGeneratorOptions,
): BatchGenerator;
