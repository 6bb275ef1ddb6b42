/**
 * Ids in, ids out, many timelines on one set of weights: what an engine of local weights stands on.
 * Everything about text (templates, stop texts, formats, whole characters) lies above it, in
 * `src/llm/engines`; everything about pages, batches and programs below it.
 */
import type { EngineStats } from "./engine.ts";

/** Chooses the next token. A timeline has its own; it is asked once a token, in order. */
export interface TokenSampler {
  /**
   * Present where temperature is all there is to it: the engine may then draw the token itself,
   * from the uniform `randomAt(seed, position)` of `sampler.ts`.
   */
  readonly plain?: { readonly temperature: number; readonly seed: number };
  /**
   * Present where a mask comes on top. The engine may draw as above from what is allowed, and
   * tells by `take` what it was. Or it draws from all and offers the token: one that is not taken
   * is not allowed, and `sample` chooses. Whichever way, the distribution is the same.
   */
  readonly masked?: {
    readonly temperature: number;
    readonly seed: number;
    /** One bit an id; absent: any. Valid until the next token. */
    allowed(): Uint32Array | undefined;
    take(id: number): boolean;
  };
  /**
   * @param logits f32 [V] of what follows; may be written to
   * @param position of the token to be chosen
   */
  sample(logits: Float32Array, position: number): number;
}

export interface SampledToken {
  readonly id: number;
  /** ln p of the model itself, in nats; only where alternatives were asked for. */
  readonly logprob?: number;
  /** The likeliest tokens under the model itself, best first. */
  readonly top?: readonly { readonly id: number; readonly logprob: number }[];
  /** A draft had guessed it. */
  readonly drafted?: true;
}

export interface TokenGenerateOptions {
  readonly sampler: TokenSampler;
  /** New tokens at most. */
  readonly maxTokens?: number;
  /** Alternatives reported a token, 0 to 20; absent: no log-probabilities. */
  readonly logprobs?: number;
  readonly signal?: AbortSignal;
}

export interface TokenSession extends AsyncDisposable {
  /** All of the timeline. */
  readonly ids: readonly number[];
  /**
   * @param options.logprobs report every new token with so many alternatives; the first of an
   *   empty timeline has logprob NaN
   * @returns how many were taken from a shared prefix instead of being computed
   * @throws CONTEXT, OVERLOADED, CONFIG (an id that is none), ABORTED; the timeline is as before
   */
  append(
    ids: readonly number[],
    options?: { readonly logprobs?: number; readonly signal?: AbortSignal },
  ): Promise<{ readonly cached: number; readonly tokens?: readonly SampledToken[] }>;
  /**
   * One token after the other; the reader decides when it has enough and breaks off. A token is
   * on the timeline when it is yielded. @returns why there is none any more
   * @throws CONFIG on an empty timeline; DIVERGED
   */
  generate(options: TokenGenerateOptions): AsyncGenerator<SampledToken, "length" | "aborted">;
  /** Forgets all tokens from `length` on. */
  truncate(length: number): void;
  /** Shares the pages of the past. */
  fork(): TokenSession;
  /** Ids and KV state, checksummed. */
  snapshot(): Promise<Uint8Array>;
}

export interface TokenEngine extends AsyncDisposable {
  readonly contextLen: number;
  readonly vocabSize: number;
  /** Of the weights: tells snapshots of one model from another's. */
  readonly fingerprint: string;
  /** Numbers of an embedding; absent: none. */
  readonly embeddingSize?: number;
  open(): TokenSession;
  /** @throws CHECKPOINT when torn or of other weights; OVERLOADED */
  restore(bytes: Uint8Array): Promise<TokenSession>;
  /** The mean of the last hidden states, scaled to length 1, one a row of ids. */
  embed(
    rows: readonly (readonly number[])[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<Float32Array[]>;
  stats(): EngineStats;
}
