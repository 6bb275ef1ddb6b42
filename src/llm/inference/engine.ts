/**
 * The one door through which everything above sees a model. An `Engine` is a model that can be
 * asked: weights in this process, a GGUF file, or another machine's. A `Session` is one timeline on
 * it, which owns its KV cache: what was put in and what the model made, in order.
 *
 * `generate` leaves the timeline where it ended, whatever ended it, and a next `generate` goes on
 * from there: a reply that was cut by `maxTokens` or by its signal is resumed, not begun again.
 */
import type { AssistantMessage, Message } from "../chat/conversation.ts";

/** A function that the model may call. */
export interface ToolDefinition {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments' object. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** What goes onto a timeline. Plain text and ids stand for themselves; messages get the template. */
export type Input =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "tokens"; readonly ids: readonly number[] }
  | {
      readonly kind: "messages";
      readonly messages: readonly Message[];
      /** Replaces what was offered before; absent: stays. */
      readonly tools?: readonly ToolDefinition[];
    };

/** How the next token is chosen; everything but temperature is off unless given. */
export interface Sampling {
  /** 0 = the likeliest token, always; 1 = the model's own distribution (the default). */
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  /** Least probability, as a share of the likeliest token's. @see Nguyen et al. 2024 (min-p) */
  readonly minP?: number;
  /** Divides positive logits of tokens on the timeline, multiplies negative. @see Keskar 2019 */
  readonly repetitionPenalty?: number;
  /** Subtracted from the logit of each token that was generated, once. */
  readonly presencePenalty?: number;
  /** Subtracted from the logit of each generated token, times how often it was. */
  readonly frequencyPenalty?: number;
  /** Added to the logits, by token id. */
  readonly logitBias?: ReadonlyMap<number, number>;
  /**
   * Same seed, same timeline, same text. In other company sums may round otherwise, which can tip a
   * near tie between two tokens; an engine that is opened `steady` has the same bits in any company.
   * Absent: drawn.
   */
  readonly seed?: number;
}

/** What the text may be. A constrained text is never invalid, and valid as a whole at "stop". */
export type Format =
  | { readonly kind: "text" }
  | { readonly kind: "json" }
  | { readonly kind: "json-schema"; readonly schema: unknown }
  /** GBNF, as llama.cpp writes it; begins at `root`. */
  | { readonly kind: "grammar"; readonly grammar: string };

export type ToolChoice = "auto" | "none" | "required" | { readonly name: string };

export interface GenerateOptions {
  /** New tokens at most; absent = until the context is full. */
  readonly maxTokens?: number;
  readonly sampling?: Sampling;
  /** Texts that end the reply; they are not part of it. */
  readonly stop?: readonly string[];
  readonly format?: Format;
  /** After messages with tools; default "auto". */
  readonly toolChoice?: ToolChoice;
  /** Report each token's log-probability with this many alternatives, 0 to 20. */
  readonly logprobs?: number;
  /** Ends the text between two tokens. */
  readonly signal?: AbortSignal;
}

export interface Candidate {
  readonly id: number;
  /** Exact bytes; empty for a special token. */
  readonly bytes: Uint8Array;
  /** ln p under the model itself: before temperature, penalties, bias and format. In nats. */
  readonly logprob: number;
}

/** A token of the timeline and what else could have stood there, likeliest first. */
export interface TokenLogprob extends Candidate {
  readonly top: readonly Candidate[];
}

export type Delta =
  | {
      readonly type: "text-delta";
      /** Whole characters only; "" while one is not whole and logprobs are asked for. */
      readonly text: string;
      /** Where logprobs are asked for: the tokens that this text ends with. */
      readonly tokens?: readonly TokenLogprob[];
    }
  | {
      readonly type: "tool-call-start";
      readonly index: number;
      readonly id: string;
      readonly name: string;
    }
  /** A piece of the JSON text of the arguments. */
  | { readonly type: "tool-call-delta"; readonly index: number; readonly text: string };

/** Why a text ended: its own end or a stop text, calls to answer, maxTokens or context, signal. */
export type FinishReason = "stop" | "tool-calls" | "length" | "aborted" | "content-filter";

/** Tokens. */
export interface Usage {
  /** Put onto the timeline from outside. */
  readonly promptTokens: number;
  /** Of these, not computed: another timeline had begun with the same. */
  readonly cachedTokens: number;
  /** Made by the model. */
  readonly completionTokens: number;
  /** Guessed by a draft and kept, a part of the completion. */
  readonly draftTokens: number;
}

export interface Ended {
  readonly finishReason: FinishReason;
  /** Of this call; after text or tokens, `content` is all there is. */
  readonly message: AssistantMessage;
  /** Of this call. */
  readonly usage: Usage;
}

export interface Session extends AsyncDisposable {
  readonly engine: Engine;
  /** Since it was opened; a fork or restored session begins at zero. */
  readonly usage: Usage;
  /** Tokens on the timeline; a remote model's are estimated. */
  readonly length: number;
  /**
   * Puts input behind what is there and computes it.
   * @throws CONTEXT when it does not fit, nothing is changed then; UNSUPPORTED for an input that
   *   this engine has no use for; OVERLOADED when no memory is left for its cache; ABORTED
   */
  append(input: Input, options?: { readonly signal?: AbortSignal }): Promise<Usage>;
  /**
   * As `append`, and what the model thought of each token; the first of an empty timeline has
   * logprob NaN, since nothing stood before it.
   * @param options.top alternatives a token, 0 to 20
   */
  score(
    input: Input,
    options?: { readonly top?: number; readonly signal?: AbortSignal },
  ): Promise<readonly TokenLogprob[]>;
  /**
   * The model goes on. Breaking off the loop ends it as the signal does.
   * @throws CONFIG when an option breaks its rule; UNSUPPORTED for one that this engine lacks;
   *   DIVERGED when no logit is finite; PROVIDER when a remote model fails
   */
  generate(options?: GenerateOptions): AsyncGenerator<Delta, Ended>;
  /** A second timeline with the same past; shares what is computed. */
  fork(): Promise<Session>;
  /** All that is needed to go on elsewhere or later, KV state included. */
  snapshot(): Promise<Snapshot>;
}

/** A session as bytes: made by an engine of the same model, read by one. */
export interface Snapshot {
  /** Of the model: id and hash of weights. */
  readonly model: string;
  /** Tokens on the timeline. */
  readonly length: number;
  readonly bytes: Uint8Array;
}

/** What an engine can do besides text from messages; what it lacks is refused, never ignored. */
export interface Abilities {
  /** Raw text and token ids as input, a tokenizer to make them with. */
  readonly tokens: boolean;
  readonly logprobs: boolean;
  readonly tools: boolean;
  /** Formats whose text cannot come out invalid. */
  readonly formats: readonly Format["kind"][];
  readonly snapshot: boolean;
  /** A reply that was cut goes on at the next `generate`. */
  readonly resume: boolean;
  readonly embed: boolean;
}

export interface ModelInfo {
  /** As people and the wire name it. */
  readonly id: string;
  /** "nutshell", "gguf", or the remote provider's name. */
  readonly provider: string;
  /** Tokens of prompt and text together. */
  readonly contextLen: number;
  /** Seconds since 1970: when the weights were made or opened. */
  readonly created: number;
  /** Numbers of an embedding; absent: none. */
  readonly embeddingSize?: number;
}

export interface EngineStats {
  /** Open timelines; those of them that wait for a place in the batch, and that are in it. */
  readonly sessions: number;
  readonly waiting: number;
  readonly running: number;
  /** KV memory in pages. */
  readonly pagesUsed: number;
  readonly pagesTotal: number;
  /** Since the start, in tokens. */
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly draftedTokens: number;
  readonly acceptedTokens: number;
}

/** Text to ids and back. */
export interface TextCodec {
  readonly vocabSize: number;
  encode(text: string): number[];
  decode(ids: readonly number[]): string;
  /** Exact bytes of one token, empty for a special one. */
  tokenBytes(id: number): Uint8Array;
}

export interface Engine extends AsyncDisposable {
  readonly model: ModelInfo;
  readonly can: Abilities;
  /** Present where `can.tokens`. */
  readonly codec?: TextCodec;
  /** An empty timeline; costs nothing until something is put on it. */
  open(): Session;
  /** @throws UNSUPPORTED; CHECKPOINT when the snapshot is torn or of another model */
  restore(snapshot: Snapshot): Promise<Session>;
  /**
   * One vector of length 1 a text: the mean of the last hidden states, or the provider's own.
   * @throws UNSUPPORTED, CONTEXT
   */
  embed(
    texts: readonly string[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<{ readonly vectors: readonly Float32Array[]; readonly promptTokens: number }>;
  stats(): EngineStats;
}
