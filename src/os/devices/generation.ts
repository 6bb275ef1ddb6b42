/**
 * One generation as the scheduler's work. Between two turns its stream is simply not read: on an
 * engine of this machine the timeline rests in its pages and costs nothing. Where memory is short
 * the stream is cut, the timeline moved to the swap, and later it goes on from the same token. A
 * provider's stream is cut at the end of a sentence and goes on from what was said: the prompt is
 * then sent once more, which is counted as waste. A provider that cannot go on is left to finish.
 *
 * What is served is counted in tokens that the model makes; a token that is only read costs an
 * eighth on our own engines, where many are read at once.
 */
import { NutshellError } from "../../error.ts";
import type { AssistantMessage, Message } from "../../llm/chat/conversation.ts";
import type {
  Delta,
  Ended,
  Engine,
  FinishReason,
  GenerateOptions,
  Session,
  ToolDefinition,
} from "../../llm/inference/engine.ts";
import type { Slice, Work } from "../scheduler/scheduler.ts";
import type { Swap, Swapped } from "./swap.ts";

export interface GenerationRequest {
  readonly messages: readonly Message[];
  readonly tools: readonly ToolDefinition[];
  readonly maxTokens: number;
  readonly options: Omit<GenerateOptions, "maxTokens" | "signal">;
  readonly signal: AbortSignal;
}

export interface Generated {
  readonly message: AssistantMessage;
  readonly finishReason: FinishReason;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** Sent again because the stream had been cut. */
  readonly wastedTokens: number;
}

interface ToolCallText {
  readonly id: string;
  readonly name: string;
  arguments: string;
}

/** Of a token that is read and not made, on an engine of this machine. */
const READ_COST = 1 / 8;
/** A provider's tokens are guessed while they come in. */
const CHARACTERS_A_TOKEN = 4;
const SENTENCE_END = /(?:[.!?…]["'”’)\]]*|\n)\s*$/;
/** Tokens after which a stream is cut in the middle of a sentence. */
const LONGEST_SENTENCE = 64;

export class Generation implements Work {
  readonly park?: () => Promise<Slice>;
  readonly #engine: Engine;
  readonly #request: GenerationRequest;
  readonly #swap: Swap;
  #session: Session | undefined;
  #stream: AsyncGenerator<Delta, Ended> | undefined;
  #cut = new AbortController();
  #swapped: Swapped | undefined;
  /** What the timeline held when the stream began. */
  #from = 0;
  #text = "";
  /** By index; `arguments` as far as they have come. */
  readonly #calls: ToolCallText[] = [];
  /** Length of the text at each cut: a stop text may lie across it. */
  #seam: number | undefined;
  /** Of streams that ended; and all that was reported as served. */
  #made = 0;
  #told = { made: 0, wasted: 0 };
  #finish: FinishReason | undefined;
  readonly #usage = { promptTokens: 0, cachedTokens: 0, wastedTokens: 0 };

  constructor(engine: Engine, request: GenerationRequest, swap: Swap) {
    this.#engine = engine;
    this.#request = request;
    this.#swap = swap;
    if (!engine.can.tokens && this.#canCut()) this.park = () => this.#park();
  }
  get resident(): boolean {
    return this.#engine.can.tokens && this.#engine.can.snapshot && this.#session !== undefined;
  }
  /** What came of it, once it is done. */
  get generated(): Generated {
    const whole = this.#finish === "length" ? this.#calls.filter(isWhole) : this.#calls;
    const calls = whole.length > 0 ? { toolCalls: whole } : {};
    return {
      message: { role: "assistant", content: this.#text, ...calls },
      finishReason: this.#finish ?? "aborted",
      ...{ ...this.#usage, completionTokens: this.#completion() },
    };
  }

  async run(tokens: number): Promise<Slice> {
    try {
      const read = await this.#begin();
      const until = this.#completion() + tokens;
      while (this.#isGoing && (this.#completion() < until || !this.#canCut())) await this.#next();
      return this.#slice(read);
    } catch (error) {
      this.#made = this.#completion();
      this.#stream = undefined;
      if (!(error instanceof NutshellError && error.code === "OVERLOADED")) throw error;
      return { ...this.#slice(0), short: error };
    }
  }
  async pageOut(): Promise<void> {
    const session = this.#session as Session;
    await this.#end();
    this.#swapped = await this.#swap.put(await session.snapshot());
    this.#session = undefined;
    await session[Symbol.asyncDispose]();
  }
  async close(): Promise<void> {
    this.#cut.abort();
    await this.#stream?.return(undefined as never);
    await this.#session?.[Symbol.asyncDispose]();
    await this.#swapped?.free();
  }

  get #isGoing(): boolean {
    return this.#stream !== undefined && this.#finish === undefined;
  }
  /** @returns what it took to read what the model goes on from */
  async #begin(): Promise<number> {
    const maxTokens = this.#request.maxTokens - this.#made;
    if (maxTokens <= 0) this.#finish ??= "length";
    if (this.#stream !== undefined || this.#finish !== undefined) return 0;
    const read = await this.#open();
    const session = this.#session as Session;
    this.#from = session.length;
    this.#cut = new AbortController();
    this.#stream = session.generate({
      ...this.#request.options,
      maxTokens,
      signal: AbortSignal.any([this.#request.signal, this.#cut.signal]),
    });
    return read;
  }
  async #open(): Promise<number> {
    if (this.#session !== undefined) return this.#sendAgain(this.#session);
    if (this.#swapped === undefined) return this.#prompt();
    this.#session = await this.#engine.restore(await this.#swapped.read());
    await this.#swapped.free();
    this.#swapped = undefined;
    return 0;
  }
  async #prompt(): Promise<number> {
    const { messages, tools, signal } = this.#request;
    const session = this.#engine.open();
    try {
      const offered = tools.length > 0 ? { tools } : {};
      const usage = await session.append({ kind: "messages", messages, ...offered }, { signal });
      const { promptTokens, cachedTokens } = usage;
      Object.assign(this.#usage, { promptTokens, cachedTokens });
      this.#session = session;
      return (promptTokens - cachedTokens) * (this.#engine.can.tokens ? READ_COST : 1);
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }
  /** A provider is told everything once more. */
  #sendAgain({ length }: Session): number {
    if (this.#engine.can.tokens || this.#made === 0) return 0;
    this.#usage.wastedTokens += length;
    return length;
  }

  async #next(): Promise<void> {
    const { value, done } = await (this.#stream as AsyncGenerator<Delta, Ended>).next();
    if (done) return this.#ended(value);
    if (value.type === "text-delta") this.#say(value.text);
    else if (value.type === "tool-call-delta")
      (this.#calls[value.index] as ToolCallText).arguments += value.text;
    else this.#calls[value.index] = { id: value.id, name: value.name, arguments: "" };
  }
  #say(text: string): void {
    this.#text += text;
    if (this.#seam === undefined) return;
    const seam = this.#seam;
    for (const stop of this.#request.options.stop ?? []) {
      const at = this.#text.indexOf(stop, Math.max(0, seam - stop.length + 1));
      if (at < 0) continue;
      this.#text = this.#text.slice(0, at);
      this.#finish = "stop";
    }
  }
  #ended({ finishReason, usage }: Ended): void {
    this.#stream = undefined;
    this.#made += usage.completionTokens;
    if (!this.#engine.can.tokens && usage.promptTokens > 0)
      this.#usage.promptTokens = Math.max(this.#usage.promptTokens, usage.promptTokens);
    if (finishReason !== "aborted") this.#finish = finishReason;
  }
  /** Cuts the stream between two tokens; what was held back of the text comes out. */
  async #end(): Promise<void> {
    this.#cut.abort();
    while (this.#stream !== undefined) await this.#next();
    this.#seam = this.#text.length;
  }
  async #park(): Promise<Slice> {
    const most = this.#completion() + LONGEST_SENTENCE;
    const isAtEnd = (): boolean => SENTENCE_END.test(this.#text) || this.#completion() >= most;
    while (this.#isGoing && !(this.#canCut() && isAtEnd())) await this.#next();
    this.#made = this.#completion();
    // What has come in since the sentence ended is left unread.
    await this.#stream?.return(undefined as never);
    this.#stream = undefined;
    this.#seam = this.#text.length;
    return this.#slice(0);
  }

  /** Format and calls are the provider's to keep: only plain text can be cut there. */
  #canCut(): boolean {
    const { can } = this.#engine;
    if (can.tokens) return true;
    const { format } = this.#request.options;
    return (
      can.resume && this.#calls.length === 0 && (format === undefined || format.kind === "text")
    );
  }
  /** Tokens that the model made. */
  #completion(): number {
    if (this.#stream === undefined || this.#session === undefined) return this.#made;
    if (this.#engine.can.tokens) return this.#made + this.#session.length - this.#from;
    const said = this.#text.length - (this.#seam ?? 0);
    return this.#made + Math.ceil(said / CHARACTERS_A_TOKEN);
  }
  /** @param read tokens, at their cost */
  #slice(read: number): Slice {
    const made = this.#completion();
    const { wastedTokens } = this.#usage;
    const tokens = Math.max(0, made - this.#told.made) + read;
    const wasted = wastedTokens - this.#told.wasted;
    this.#told = { made: Math.max(this.#told.made, made), wasted: wastedTokens };
    return { tokens, done: this.#finish !== undefined, wasted };
  }
}

/** A call that was cut is no JSON. */
function isWhole({ arguments: text }: ToolCallText): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
