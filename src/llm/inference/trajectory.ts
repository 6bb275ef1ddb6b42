/** What one text of a batch is asked to be, and what became of it. */
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
