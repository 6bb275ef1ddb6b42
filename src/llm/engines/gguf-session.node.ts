/**
 * One timeline on llama.cpp. `ids` is all there is to it; its cache holds them all but the last,
 * whose logits are asked for when the next one is wanted. Truncating only shortens `ids`: what the
 * cache holds beyond them is erased before it is used again.
 */
import { readFile, writeFile } from "node:fs/promises";
import { NutshellError } from "../../error.ts";
import { randomAt } from "../inference/sampler.ts";
import type {
  SampledToken,
  TokenGenerateOptions,
  TokenSession,
} from "../inference/token-engine.ts";
import { diverged, tokenLogprobs } from "../inference/token-logprobs.ts";
import { given } from "./extend-timeline.ts";
import { commonLength, type Sequences, withStateFile } from "./gguf-sequences.node.ts";
import { encodeGgufSnapshot } from "./gguf-snapshot.node.ts";
import type { LlamaItem, LlamaNext, LlamaSequence } from "./load-llama.node.ts";

/** What the timelines of one engine share. */
export interface GgufScene {
  readonly sequences: Sequences;
  readonly contextLen: number;
  readonly vocabSize: number;
  readonly fingerprint: string;
  readonly total: {
    sessions: number;
    running: number;
    promptTokens: number;
    cachedTokens: number;
    completionTokens: number;
  };
}

type AppendOptions = { readonly logprobs?: number; readonly signal?: AbortSignal };

/** Ids that are computed between two looks at the signal; with all their logits, far fewer. */
const CHUNK = 512;
const SCORED_CHUNK = 8;
/** A state is copied through a file where it spares so many ids. */
const WORTH_COPYING = 64;
/** llama.cpp narrows by itself unless told not to. */
const WHOLE = { topK: 0, topP: 1, minP: 0 } as const;

export class GgufSession implements TokenSession {
  readonly #scene: GgufScene;
  readonly #ids: number[];
  #sequence: LlamaSequence | undefined;
  /** What this was forked from, until it has a cache of its own. */
  #parent: GgufSession | undefined;
  #busy = false;
  #isOpen = true;

  constructor(scene: GgufScene, ids: readonly number[] = [], parent?: GgufSession) {
    this.#scene = scene;
    this.#ids = [...ids];
    this.#parent = parent;
    scene.total.sessions++;
  }
  get ids(): readonly number[] {
    return this.#ids;
  }

  async append(
    ids: readonly number[],
    options: AppendOptions = {},
  ): Promise<{ readonly cached: number; readonly tokens?: readonly SampledToken[] }> {
    const before = this.#ids.length;
    checkIds(ids, before, this.#scene);
    this.#ids.push(...ids);
    this.#busy = true;
    try {
      const put = await this.#compute(before, options);
      this.#scene.total.promptTokens += ids.length;
      this.#scene.total.cachedTokens += put.cached;
      return put;
    } catch (error) {
      this.#ids.length = before;
      throw error;
    } finally {
      this.#rest();
    }
  }

  async *generate(
    options: TokenGenerateOptions,
  ): AsyncGenerator<SampledToken, "length" | "aborted"> {
    const { maxTokens = Infinity, signal } = options;
    if (this.#ids.length === 0)
      throw new NutshellError("CONFIG", "generate: a timeline must hold a token, got none.");
    const { total, contextLen } = this.#scene;
    this.#busy = true;
    total.running++;
    try {
      if (!(await this.#prepare(signal))) return "aborted";
      for (let made = 0; made < maxTokens && this.#ids.length < contextLen; made++) {
        const token = await this.#next(options);
        if (signal?.aborted) return "aborted";
        this.#ids.push(token.id);
        total.completionTokens++;
        yield token;
        if (signal?.aborted) return "aborted";
      }
      return "length";
    } finally {
      total.running--;
      this.#rest();
    }
  }

  truncate(length: number): void {
    this.#ids.length = Math.min(length, this.#ids.length);
  }
  fork(): GgufSession {
    return new GgufSession(this.#scene, this.#ids, this);
  }

  async snapshot(): Promise<Uint8Array> {
    const { fingerprint } = this.#scene;
    const record = { fingerprint, ids: this.#ids };
    if (this.#ids.length < 2) return encodeGgufSnapshot(record, new Uint8Array());
    await this.#compute(this.#ids.length, {});
    return withStateFile(async (path) => {
      await (await this.#hold()).saveStateToFile(path);
      return encodeGgufSnapshot(record, await readFile(path));
    });
  }

  /** The cache of a timeline with the same ids. */
  async load(state: Uint8Array): Promise<void> {
    if (state.length === 0) return;
    const sequence = await this.#hold();
    await withStateFile(async (path) => {
      await writeFile(path, state);
      await sequence.loadStateFromFile(path, { acceptRisk: true });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOpen) this.#scene.total.sessions--;
    this.#isOpen = false;
    this.#parent = undefined;
    if (!this.#busy) this.#giveBack();
  }

  /** A call is over; one that was closed meanwhile gives its cache back only now. */
  #rest(): void {
    this.#busy = false;
    if (!this.#isOpen) this.#giveBack();
  }
  #giveBack(): void {
    if (this.#sequence !== undefined) this.#scene.sequences.give(this.#sequence);
    this.#sequence = undefined;
  }

  /** @returns false where the signal came first */
  async #prepare(signal: AbortSignal | undefined): Promise<boolean> {
    if (signal?.aborted) return false;
    try {
      await this.#compute(this.#ids.length, given({ signal }));
      return true;
    } catch (error) {
      if (signal?.aborted) return false;
      throw error;
    }
  }

  /** All but the last id, as far as the cache does not hold it; those from `before` on are new. */
  async #compute(
    before: number,
    { logprobs, signal }: AppendOptions,
  ): Promise<{ readonly cached: number; readonly tokens?: readonly SampledToken[] }> {
    const end = Math.max(0, this.#ids.length - 1);
    const sequence = await this.#hold();
    const start = logprobs === undefined ? end : Math.max(0, before - 1);
    const held = await trim(sequence, this.#ids.slice(0, start));
    const tokens: SampledToken[] = before === 0 && this.#ids.length > 0 ? [this.#firstToken()] : [];
    const step = logprobs === undefined ? CHUNK : SCORED_CHUNK;
    for (let at = held; at < end; at += step) {
      if (signal?.aborted) throw new NutshellError("ABORTED", "append: was taken back.");
      const ids = this.#ids.slice(at, Math.min(end, at + step));
      if (logprobs === undefined) await sequence.evaluateWithoutGeneratingNewTokens(ids);
      else tokens.push(...(await this.#score(sequence, at, ids, before, logprobs)));
    }
    const cached = Math.max(0, held - before);
    return logprobs === undefined ? { cached } : { cached, tokens };
  }

  #firstToken(): SampledToken {
    return { id: this.#ids[0] as number, logprob: Number.NaN, top: [] };
  }

  /** @returns what stands behind each of `ids`, where that is new */
  async #score(
    sequence: LlamaSequence,
    at: number,
    ids: readonly number[],
    before: number,
    logprobs: number,
  ): Promise<SampledToken[]> {
    const items = ids.map(
      (id, i): LlamaItem =>
        at + i + 1 < before ? id : [id, { generateNext: { logits: true, options: WHOLE } }],
    );
    const results = await sequence.controlledEvaluate(items);
    return results.flatMap((result, i) => {
      if (result === undefined) return [];
      const id = this.#ids[at + i + 1] as number;
      return [{ id, ...tokenLogprobs(this.#toLogits(result.next), id, logprobs) }];
    });
  }

  async #next({ sampler, logprobs }: TokenGenerateOptions): Promise<SampledToken> {
    const position = this.#ids.length;
    const sequence = await this.#hold();
    const simple = sampler.plain ?? sampler.masked;
    if (simple !== undefined && logprobs === undefined) {
      const seed = Math.floor(randomAt(simple.seed, position) * 2 ** 32);
      const options = { ...WHOLE, temperature: simple.temperature, seed };
      const { token } = await this.#ask({ token: true, options });
      // A row of the table without a token is none.
      const isToken = typeof token === "number" && token < this.#scene.vocabSize;
      if (isToken && (sampler.masked?.take(token) ?? true)) return { id: token };
      await trim(sequence, this.#ids.slice(0, -1));
    }
    const logits = this.#toLogits(await this.#ask({ logits: true, options: WHOLE }));
    const id = sampler.sample(logits.slice(), position);
    return logprobs === undefined ? { id } : { id, ...tokenLogprobs(logits, id, logprobs) };
  }

  /** Puts the last id into the cache; the one that follows it will be the last then. */
  async #ask(generateNext: object): Promise<LlamaNext> {
    const last = this.#ids.at(-1) as number;
    const sequence = await this.#hold();
    const [result] = await sequence.controlledEvaluate([[last, { generateNext }]]);
    if (result === undefined) throw diverged(this.#scene.vocabSize);
    return result.next;
  }

  #toLogits({ logits }: LlamaNext): Float32Array {
    const all = new Float32Array(this.#scene.vocabSize).fill(-Infinity);
    for (const [id, logit] of logits ?? []) if (id < all.length) all[id] = logit;
    return all;
  }

  /** A cache of its own; a fork that finds none left takes its parent's, which computes anew. */
  async #hold(): Promise<LlamaSequence> {
    if (!this.#isOpen) throw new NutshellError("ABORTED", "session: was closed meanwhile.");
    if (this.#sequence !== undefined) return this.#sequence;
    const parent = this.#parent;
    this.#parent = undefined;
    if (parent !== undefined && this.#scene.sequences.isFull) this.#sequence = parent.#giveUp();
    if (this.#sequence !== undefined) return this.#sequence;
    const sequence = this.#scene.sequences.take(this.#ids);
    this.#sequence = sequence;
    if (parent !== undefined) await this.#copy(parent, sequence);
    return sequence;
  }

  #giveUp(): LlamaSequence | undefined {
    if (this.#busy) return undefined;
    const sequence = this.#sequence;
    this.#sequence = undefined;
    return sequence;
  }

  async #copy(parent: GgufSession, sequence: LlamaSequence): Promise<void> {
    const source = parent.#sequence;
    if (source === undefined || parent.#busy) return;
    const theirs = commonLength(source.contextTokens, this.#ids);
    if (theirs < commonLength(sequence.contextTokens, this.#ids) + WORTH_COPYING) return;
    await withStateFile(async (path) => {
      await source.saveStateToFile(path);
      await sequence.loadStateFromFile(path, { acceptRisk: true });
    });
  }
}

/** Erases what is not the beginning of `ids`. @returns how many of them the cache holds */
async function trim(sequence: LlamaSequence, ids: readonly number[]): Promise<number> {
  const held = sequence.contextTokens;
  const same = commonLength(held, ids);
  if (same < held.length)
    await sequence.eraseContextTokenRanges([{ start: same, end: held.length }]);
  return same;
}

function checkIds(
  ids: readonly number[],
  before: number,
  { vocabSize, contextLen }: GgufScene,
): void {
  const wrong = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
  if (wrong !== undefined)
    throw new NutshellError("CONFIG", `append: an id must be below ${vocabSize}, got ${wrong}.`);
  if (before + ids.length <= contextLen) return;
  throw new NutshellError(
    "CONTEXT",
    `append: a timeline must fit a context of ${contextLen} tokens, got ${before} and ` +
      `${ids.length} more. Open the model with a longer one, or put less on it.`,
  );
}
