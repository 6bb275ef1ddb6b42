/**
 * One timeline of a checkpoint's engine. It asks the loop for what is to be computed and keeps the
 * timeline whole: a call that fails leaves it as it was. One call at a time; between two tokens of
 * `generate` any other call may come, and the text goes on from what that left.
 */
import { NutshellError } from "../../error.ts";
import { createDrafter, type Draft, type Drafter, draftTokens } from "./draft.ts";
import { aborted } from "./engine-jobs.ts";
import type { EngineLoop } from "./engine-loop.ts";
import { checkCount, checkIds } from "./request.ts";
import { type Round, settleRound, tryRound } from "./speculative-round.ts";
import { closeTimeline, forkTimeline, type Timeline, truncateTimeline } from "./timeline.ts";
import type { SampledToken, TokenGenerateOptions, TokenSession } from "./token-engine.ts";
import { tokenLogprobs } from "./token-logprobs.ts";

/** What sessions share. */
export interface SessionEngine {
  readonly loop: EngineLoop;
  readonly contextLen: number;
  /** Ids that exist; those of them that are drawn are below `vocabSize`. */
  readonly tableSize: number;
  readonly vocabSize: number;
  readonly sessions: Set<CheckpointSession>;
  readonly counts: {
    prompt: number;
    cached: number;
    completion: number;
    drafted: number;
    accepted: number;
  };
  readonly draft: Draft | undefined;
  /** Texts that are being made. */
  generating: number;
  readonly snapshot: (timeline: Timeline) => Promise<Uint8Array>;
}

type RowReader = (rows: Float32Array, from: number, to: number) => void;

const MOST_ALTERNATIVES = 20;

export class CheckpointSession implements TokenSession {
  readonly #engine: SessionEngine;
  readonly #timeline: Timeline;
  #drafter: Drafter | undefined;
  #busy = false;

  constructor(engine: SessionEngine, timeline: Timeline) {
    this.#engine = engine;
    this.#timeline = timeline;
    engine.sessions.add(this);
  }
  get ids(): readonly number[] {
    return this.#timeline.ids;
  }

  async append(
    ids: readonly number[],
    options: { readonly logprobs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<{ readonly cached: number; readonly tokens?: readonly SampledToken[] }> {
    this.#checkAppend(ids, options);
    const timeline = this.#timeline;
    const all = [...timeline.ids, ...ids];
    const tokens = options.logprobs === undefined ? undefined : firstToken(timeline, ids);
    const onRows = tokens && this.#reader(all, tokens, options.logprobs as number);
    const { cached } = await this.#alone(async () => {
      try {
        const filled = await this.#compute(all, onRows, options.signal);
        for (const id of ids) timeline.ids.push(id);
        timeline.revision++;
        return filled;
      } catch (error) {
        truncateTimeline(timeline, timeline.ids.length);
        throw error;
      }
    });
    this.#engine.counts.prompt += ids.length;
    this.#engine.counts.cached += cached;
    return { cached, ...(tokens === undefined ? {} : { tokens }) };
  }
  #checkAppend(
    ids: readonly number[],
    { logprobs, signal }: { readonly logprobs?: number; readonly signal?: AbortSignal },
  ): void {
    const { contextLen, tableSize } = this.#engine;
    this.#checkOpen();
    checkIds("append", ids, tableSize);
    checkAlternatives(logprobs);
    if (signal?.aborted) throw aborted("append");
    const length = this.ids.length + ids.length;
    if (length <= contextLen) return;
    throw new NutshellError(
      "CONTEXT",
      `append: a timeline must fit into a context of ${contextLen} tokens, got ${length}. ` +
        "Shorten the input.",
    );
  }
  /** All but the last id: that one goes through decode. */
  #compute(
    ids: readonly number[],
    onRows: RowReader | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ cached: number }> {
    const to = ids.length - 1;
    if (to <= this.#timeline.computed) return Promise.resolve({ cached: 0 });
    const timeline = this.#timeline;
    const output = onRows === undefined ? "none" : "logits";
    const rows = onRows === undefined ? {} : { onRows };
    return this.#engine.loop.fill({ timeline, ids, to, output, signal, ...rows });
  }
  /** Reads off rows of logits what the model thought of the ids that follow. */
  #reader(ids: readonly number[], tokens: SampledToken[], alternatives: number): RowReader {
    const { tableSize, vocabSize } = this.#engine;
    return (rows, from, to) => {
      for (let at = from; at < to; at++) {
        const start = (at - from) * tableSize;
        const id = ids[at + 1] as number;
        const row = rows.subarray(start, start + Math.max(vocabSize, id + 1));
        tokens.push({ id, ...tokenLogprobs(row, id, alternatives) });
      }
    };
  }

  async *generate(
    options: TokenGenerateOptions,
  ): AsyncGenerator<SampledToken, "length" | "aborted", undefined> {
    const timeline = this.#timeline;
    this.#checkOpen();
    checkAlternatives(options.logprobs);
    if (options.maxTokens !== undefined) checkCount("generate", "maxTokens", options.maxTokens);
    if (timeline.ids.length === 0) throw emptyTimeline();
    this.#engine.generating++;
    try {
      return yield* this.#text(options);
    } finally {
      this.#engine.generating--;
    }
  }
  async *#text(
    options: TokenGenerateOptions,
  ): AsyncGenerator<SampledToken, "length" | "aborted", undefined> {
    const { maxTokens = Infinity, signal } = options;
    const { contextLen, counts } = this.#engine;
    const timeline = this.#timeline;
    for (let made = 0; made < maxTokens && timeline.ids.length < contextLen; ) {
      if (signal?.aborted || timeline.closed) return "aborted";
      const most = Math.min(maxTokens - made, contextLen - timeline.ids.length);
      const tokens = await this.#alone(() => this.#tryTokens(options, most));
      for (const token of tokens ?? []) {
        made++;
        counts.completion++;
        if (token.drafted) counts.accepted++;
        yield token;
        // What a round guessed is on the timeline only once it is taken from it.
        if (this.#busy) throw inUse();
      }
      if (tokens === undefined) return "aborted";
    }
    return "length";
  }
  /** The next tokens, at most `most`; undefined when they are not wanted any more. */
  async #tryTokens(
    options: TokenGenerateOptions,
    most: number,
  ): Promise<Iterable<SampledToken> | undefined> {
    const { loop } = this.#engine;
    const { sampler, logprobs, signal } = options;
    const timeline = this.#timeline;
    try {
      const round = await this.#trySpeculate(options, most - 1);
      if (round !== undefined) return settleRound(round, timeline, options);
    } catch (error) {
      if (error instanceof NutshellError && error.code === "ABORTED") return undefined;
      throw error;
    }
    const allowed = sampler.masked?.allowed();
    const token = await loop.step({ timeline, sampler, allowed, logprobs, signal });
    return token && [token];
  }
  /** Guesses pay where a text is alone: in company a run has better use for its lanes. */
  async #trySpeculate(
    { sampler, signal }: TokenGenerateOptions,
    most: number,
  ): Promise<Round | undefined> {
    const engine = this.#engine;
    const timeline = this.#timeline;
    if (engine.draft === undefined || engine.generating > 1 || most < 1) return undefined;
    this.#drafter ??= createDrafter(engine.draft);
    const count = Math.min(most, draftTokens(engine.draft));
    const guesses = await this.#drafter.guess(timeline.ids, count, sampler);
    if (guesses.length === 0 || timeline.closed) return undefined;
    engine.counts.drafted += guesses.length;
    return tryRound(engine.loop, timeline, guesses, engine, signal);
  }

  truncate(length: number): void {
    this.#checkOpen();
    const rule = "length must be a whole number up to the timeline's";
    if (!(Number.isInteger(length) && length >= 0 && length <= this.ids.length))
      throw new NutshellError("CONFIG", `truncate: ${rule} ${this.ids.length}, got ${length}.`);
    if (this.#busy) throw inUse();
    truncateTimeline(this.#timeline, length);
  }
  fork(): TokenSession {
    this.#checkOpen();
    return new CheckpointSession(this.#engine, forkTimeline(this.#timeline));
  }
  async snapshot(): Promise<Uint8Array> {
    this.#checkOpen();
    // What is read page by page must not move: a fork stands still.
    const frozen = forkTimeline(this.#timeline);
    try {
      return await this.#engine.snapshot(frozen);
    } finally {
      closeTimeline(frozen);
    }
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#engine.sessions.delete(this);
    closeTimeline(this.#timeline);
    await this.#drafter?.dispose();
  }

  /** Two calls at once would compute the same positions twice, differently. */
  async #alone<T>(call: () => Promise<T>): Promise<T> {
    if (this.#busy) throw inUse();
    this.#busy = true;
    try {
      return await call();
    } finally {
      this.#busy = false;
    }
  }
  #checkOpen(): void {
    if (this.#timeline.closed)
      throw new Error("session: it must be open to be used, got a closed one");
  }
}

/** What the model thought of the first token of all: nothing. */
function firstToken(timeline: Timeline, ids: readonly number[]): SampledToken[] {
  const [id] = ids;
  return timeline.ids.length > 0 || id === undefined ? [] : [{ id, logprob: Number.NaN, top: [] }];
}

function checkAlternatives(count: number | undefined): void {
  if (count === undefined) return;
  if (Number.isInteger(count) && count >= 0 && count <= MOST_ALTERNATIVES) return;
  throw new NutshellError(
    "CONFIG",
    `logprobs: alternatives must be a whole number from 0 to ${MOST_ALTERNATIVES}, got ${count}.`,
  );
}

const inUse = (): Error => new Error("session: one call at a time, got a second one beside it");

const emptyTimeline = (): NutshellError =>
  new NutshellError(
    "CONFIG",
    "generate: timeline must hold a token, got none. Begin with the start-of-text token.",
  );
