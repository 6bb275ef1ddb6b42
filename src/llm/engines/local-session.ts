/**
 * A timeline of ids with a text's life on it. What a half-made reply means (bytes of a character,
 * an open call, a format that is half fulfilled) is read again from its ids, so that resuming,
 * forking and restoring are the same thing.
 *
 * Where a reply ends and the timeline goes on:
 * - at the end of a turn, its mark stands on the timeline and the turn is closed;
 * - text without a template ends before the token that ends it, which is taken back;
 * - a stop text is taken back together with all behind it; what was shown of its first token is
 *   spelled anew, so that the timeline holds what was shown;
 * - otherwise the turn stays open: `generate` goes on in it, text is added to it, and messages
 *   close it; of a call that was not finished nothing stays then.
 * Stop texts are looked for within one `generate`.
 */
import { NutshellError } from "../../error.ts";
import type { AssistantMessage } from "../chat/conversation.ts";
import type {
  Delta,
  Ended,
  Engine,
  GenerateOptions,
  Input,
  Session,
  Snapshot,
  TokenLogprob,
  Usage,
} from "../inference/engine.ts";
import type { SampledToken, TokenSession } from "../inference/token-engine.ts";
import { createTokenSampler } from "../inference/token-sampler.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { waitingCalls } from "./answer-order.ts";
import type { ChatFormat, ChatStep, Extension } from "./chat-format.ts";
import { checkAlternatives, checkGenerate } from "./check-generate.ts";
import { type AppendOptions, extendTimeline, given } from "./extend-timeline.ts";
import { makeReply, type Outcome, type Reply, toLogprob } from "./make-reply.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import { readTurn, resumeTurn, type Turn } from "./read-turn.ts";
import {
  afterStep,
  afterText,
  emptyState,
  stepToSpeak,
  stepWith,
  type TextState,
  withFormat,
} from "./text-state.ts";
import { createTurnMask, type TurnMask } from "./turn-mask.ts";
import type { RuleBook } from "./turn-rules.ts";
import { addUsage, NO_USAGE } from "./usage.ts";

/** What the sessions of one engine share. */
export interface LocalScene {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  /** Absent: the model has no conversations. */
  readonly chat: ChatFormat | undefined;
  readonly rules: RuleBook;
  snapshot(state: TextState, tokens: TokenSession): Promise<Snapshot>;
}

interface Put {
  readonly usage: Usage;
  readonly sampled: readonly SampledToken[];
}

export class LocalSession implements Session {
  readonly engine: Engine;
  readonly #scene: LocalScene;
  #tokens: TokenSession;
  #state: TextState;
  #usage: Usage = NO_USAGE;
  #isOpen = true;
  readonly #occupy = oneAtATime();

  constructor(scene: LocalScene, tokens: TokenSession, state: TextState = emptyState) {
    this.engine = scene.engine;
    this.#scene = scene;
    this.#tokens = tokens;
    this.#state = state;
  }
  get usage(): Usage {
    return this.#usage;
  }
  get length(): number {
    return this.#tokens.ids.length;
  }

  async append(input: Input, options: { readonly signal?: AbortSignal } = {}): Promise<Usage> {
    using _ = this.#occupy();
    const { usage } = await this.#put(input, options);
    return usage;
  }

  async score(
    input: Input,
    { top = 0, signal }: { readonly top?: number; readonly signal?: AbortSignal } = {},
  ): Promise<readonly TokenLogprob[]> {
    checkAlternatives("score", top);
    using _ = this.#occupy();
    const { sampled } = await this.#put(input, { signal, logprobs: top });
    const told = sampled.map((token) => toLogprob(token, this.#scene.tokenizer));
    return told.filter((token) => token !== undefined);
  }

  async *generate(options: GenerateOptions = {}): AsyncGenerator<Delta, Ended> {
    checkGenerate(options);
    using _ = this.#occupy();
    const { signal } = options;
    const prompt = await this.#begin(signal).catch((error: unknown) => {
      if (signal?.aborted && isAbort(error)) return undefined;
      throw error;
    });
    if (prompt !== undefined && !signal?.aborted) return yield* this.#reply(options, prompt);
    const message: AssistantMessage = { role: "assistant", content: "" };
    return { finishReason: "aborted", message, usage: prompt ?? NO_USAGE };
  }

  async fork(): Promise<Session> {
    return new LocalSession(this.#scene, this.#tokens.fork(), this.#state);
  }
  snapshot(): Promise<Snapshot> {
    return this.#scene.snapshot(this.#state, this.#tokens);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false;
    await this.#tokens[Symbol.asyncDispose]();
  }

  #put(input: Input, options: AppendOptions): Promise<Put> {
    return input.kind === "messages"
      ? this.#step((chat) => this.#stepWith(chat, input), options)
      : this.#putIds(input, options);
  }

  async #putIds(input: Exclude<Input, { kind: "messages" }>, options: AppendOptions): Promise<Put> {
    const { tokenizer } = this.#scene;
    const start = input.kind === "text" && this.length === 0 ? startOfText(tokenizer) : [];
    const ids = input.kind === "text" ? tokenizer.encode(input.text) : input.ids;
    const put = await this.#extend({ keep: this.length, ids: [...start, ...ids] }, options);
    this.#state = afterText(this.#state, this.length);
    return put;
  }

  async #step(toStep: (chat: ChatFormat) => ChatStep, options: AppendOptions): Promise<Put> {
    const { chat } = this.#scene;
    if (chat === undefined) throw unsupported("messages", "template for conversations");
    const step = toStep(chat);
    const put = await this.#extend(chat.extend(step), options);
    this.#state = afterStep(step, this.length);
    return put;
  }

  #stepWith(chat: ChatFormat, input: Extract<Input, { kind: "messages" }>): ChatStep {
    if ((input.tools?.length ?? 0) > 0 && chat.calls === undefined)
      throw unsupported("tools", "way to call them");
    const { turn, from } = this.#state;
    const begun = turn === "open" && this.length > from;
    return stepWith(
      this.#state,
      input,
      this.#tokens.ids,
      begun ? readTurn(this.#turn()) : undefined,
    );
  }

  async #extend(extension: Extension, options: AppendOptions): Promise<Put> {
    const { tokens, cached, sampled } = await extendTimeline(this.#tokens, extension, options);
    this.#tokens = tokens;
    // Extending may have made a timeline anew, which whoever closed this did not know.
    if (!this.#isOpen) {
      await tokens[Symbol.asyncDispose]();
      throw new NutshellError("ABORTED", "session: was closed meanwhile.");
    }
    const usage = { ...NO_USAGE, promptTokens: extension.ids.length, cachedTokens: cached };
    this.#usage = addUsage(this.#usage, usage);
    return { usage, sampled };
  }

  /** What must stand on the timeline before the model can go on. */
  async #begin(signal: AbortSignal | undefined): Promise<Usage> {
    const { turn, messages } = this.#state;
    if (turn === "closed") {
      const waiting = waitingCalls(messages);
      if (waiting.length > 0) throw unanswered(waiting.map(({ name }) => name));
      const { usage } = await this.#step(() => stepToSpeak(this.#state, this.#tokens.ids), {
        signal,
      });
      return usage;
    }
    if (this.length > 0) return NO_USAGE;
    const ids = startOfText(this.#scene.tokenizer);
    if (ids.length === 0) throw nothingToGoOnFrom();
    return (await this.#putIds({ kind: "tokens", ids }, { signal })).usage;
  }

  async *#reply(options: GenerateOptions, prompt: Usage): AsyncGenerator<Delta, Ended> {
    const { sampling = {}, signal, maxTokens, logprobs } = options;
    const state = withFormat(this.#state, options, this.length);
    const mask = this.#mask(state, options);
    const { ids } = this.#tokens;
    const sampler = createTokenSampler(sampling, { ids, generatedFrom: state.madeFrom, mask });
    const { tokenizer, chat, rules } = this.#scene;
    const ends = state.turn === "open" && chat !== undefined ? chat.ends : rules.textEnds;
    const reply = { ...resumeTurn(this.#turn(), options), mask, ends, tokenizer };
    const made = this.#tokens.generate({ sampler, ...given({ maxTokens, logprobs, signal }) });
    const outcome: Outcome = { finishReason: "stop", atEnd: false, tokens: 0, draftTokens: 0 };
    this.#state = state;
    try {
      yield* makeReply(made, reply, outcome);
    } finally {
      await this.#settle(reply, outcome);
    }
    const { finishReason, tokens: completionTokens, draftTokens } = outcome;
    const usage = { ...prompt, completionTokens, draftTokens };
    return { finishReason, message: reply.deltas.message, usage };
  }

  /** Leaves the timeline so that it can go on. */
  async #settle({ deltas, tokenizer }: Reply, outcome: Outcome): Promise<void> {
    const { tokens: completionTokens, draftTokens } = outcome;
    this.#usage = addUsage(this.#usage, { ...NO_USAGE, completionTokens, draftTokens });
    if (deltas.cut !== undefined) {
      this.#tokens.truncate(deltas.cut.at);
      const ids = tokenizer.encode(deltas.cut.text);
      if (ids.length > 0) await this.#tokens.append(ids);
      return;
    }
    if (!outcome.atEnd) return;
    if (this.#state.turn === "open") this.#closeTurn();
    else this.#tokens.truncate(this.length - 1);
  }

  #closeTurn(): void {
    const { format: _, ...state } = this.#state;
    const messages = [...state.messages, readTurn(this.#turn())];
    this.#state = { ...state, messages, turn: "closed" };
  }

  #mask(state: TextState, options: GenerateOptions): TurnMask | undefined {
    const { rules } = this.#scene;
    const isTurn = state.turn === "open";
    const asked = isTurn ? rules.turn(options, state.tools) : rules.text(options);
    if (asked === undefined) return undefined;
    const formatFrom = (state.format?.from ?? this.length) - state.from;
    return createTurnMask(asked, this.#tokens.ids.slice(state.from), formatFrom);
  }

  /** The open turn, or the text that the model goes on with. */
  #turn(): Turn {
    const { tokenizer, chat } = this.#scene;
    const { turn, from } = this.#state;
    return { tokenizer, chat: turn === "open" ? chat : undefined, ids: this.#tokens.ids, from };
  }
}

function startOfText({ bos }: Tokenizer): number[] {
  return bos === undefined ? [] : [bos];
}

function isAbort(error: unknown): boolean {
  return error instanceof NutshellError && error.code === "ABORTED";
}

function unsupported(what: string, lacks: string): NutshellError {
  return new NutshellError(
    "UNSUPPORTED",
    `append: ${what} need a model with a ${lacks}, got none.`,
  );
}

function unanswered(names: readonly string[]): NutshellError {
  return new NutshellError(
    "CONFIG",
    `generate: calls must be answered first, got none for ${names.join(", ")}. Append the results.`,
  );
}

function nothingToGoOnFrom(): NutshellError {
  return new NutshellError(
    "CONFIG",
    "generate: a timeline must hold a token to go on from, got none, and this vocabulary has " +
      "none that starts a text. Append a text.",
  );
}
