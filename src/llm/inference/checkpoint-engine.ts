/**
 * The engine of our own checkpoints: many timelines on one set of weights, in this process and off
 * its event loop. Keys and values lie in pages that timelines share, runs take in whoever waits
 * (continuous batching), and what some timeline has begun with is not computed again.
 *
 * What a text's bits depend on. Known ids give the same keys and values in any company, in chunks
 * of any size. Decode runs of up to four lanes add up in another order than wider ones, so a token
 * may differ in its last bits, and hence now and then in itself, by how many texts are served
 * beside it; with `steady` it never does, since no run is narrow. A page that a text has from the
 * prefix cache may have been computed by decode, in the last bits another way than by prefill; so
 * are tokens that were guessed and judged together.
 */
import type { Backend, Store } from "../../compute/backend.ts";
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Precision } from "../model/transformer.ts";
import { CheckpointSession, type SessionEngine } from "./checkpoint-session.ts";
import { checkDraft, type Draft, draftTokens } from "./draft.ts";
import { createEngineLoop, type EngineLoop, type LoopShape } from "./engine-loop.ts";
import { createEnginePrograms } from "./engine-programs.ts";
import { fingerprintWeights, prepareWeights, type WeightFormat } from "./engine-weights.ts";
import { type KvParts, readState, writeState } from "./kv-state.ts";
import { PagePool } from "./pages.ts";
import { PrefixCache } from "./prefix-cache.ts";
import { checkCount, checkIds } from "./request.ts";
import { decodeSnapshot, encodeSnapshot } from "./snapshot.ts";
import { beginTimeline, closeTimeline, type Memory } from "./timeline.ts";
import type { TokenEngine } from "./token-engine.ts";

export interface TokenEngineOptions {
  readonly precision: Precision;
  /** Absent: as the precision is. */
  readonly weights?: WeightFormat;
  /** Tokens of a timeline; absent = the model's context, which is also the most. */
  readonly contextLen?: number;
  /** Ids below this are drawn; absent = all. A model's table may be longer than its tokenizer's. */
  readonly vocabSize?: number;
  /** Texts in one decode run. */
  readonly maxBatch?: number;
  /** Memory of keys and values, in bytes or in pages; absent: full contexts for `maxBatch`. */
  readonly kvBytes?: number;
  readonly pages?: number;
  /** Tokens of a page, a multiple of 16. */
  readonly pageLen?: number;
  /** Whether timelines share the pages of what they begin with; absent = true. */
  readonly prefixCache?: boolean;
  /** Same bits in any company, at some cost for a text that is alone. */
  readonly steady?: boolean;
  /** Guesses for texts that are served alone; absent = none. */
  readonly draft?: Draft;
}

export interface CheckpointEngine extends TokenEngine {
  /** Forgets all shared prefixes; pages that timelines use stay. */
  dropPrefixes(): void;
}

const MAX_BATCH = 16;
const PAGE_LEN = 16;
/** Products of fewer rows than this have other bits. */
const STEADY_WIDTH = 8;
const CHUNK = 64;
/** Lanes of the widest prefill run. */
const FILL_LANES = 8;

/**
 * @param store holds the parameters, and gets the cache; it is the caller's, to be freed after the
 *   engine
 * @throws CONFIG when an option breaks its rule; SHAPE when the store lacks a parameter
 */
export async function createTokenEngine(
  backend: Backend,
  store: Store,
  config: ModelConfig,
  options: TokenEngineOptions,
): Promise<CheckpointEngine> {
  const { precision, weights = precision } = options;
  const { contextLen = config.sequenceLen, vocabSize = config.vocabSize } = options;
  checkOptions(options, config);
  if (options.draft !== undefined) checkDraft(options.draft, vocabSize);
  const sizes = pageSizes(config, options, contextLen);
  const params = await prepareWeights(backend, store, config, { precision, weights });
  const fingerprint = await fingerprintWeights(store, config, { precision, weights });
  const programs = createEnginePrograms(backend, store, {
    ...{ config, precision, params, vocabSize },
    ...sizes,
  });
  const loop = createEngineLoop(programs, loopShape(options, sizes, vocabSize));
  const pool = new PagePool(sizes.pages);
  const cache = options.prefixCache === false ? undefined : new PrefixCache(pool);
  const copyPage = async (from: number, to: number): Promise<void> =>
    programs.writePage(to, await programs.readPage(from));
  const memory: Memory = { pool, cache, pageLen: sizes.pageLen, copyPage };
  const parts = {
    config,
    precision,
    programs,
    loop,
    memory,
    fingerprint,
    contextLen,
    vocabSize,
    draft: options.draft,
  };
  return assemble(parts);
}

interface Parts extends KvParts {
  readonly loop: EngineLoop;
  readonly vocabSize: number;
  readonly draft: Draft | undefined;
}

function assemble(parts: Parts): CheckpointEngine {
  const { config, programs, loop, memory, fingerprint, contextLen, vocabSize, draft } = parts;
  const { pool, cache } = memory;
  const engine: SessionEngine = {
    ...{ loop, contextLen, vocabSize, tableSize: config.vocabSize },
    sessions: new Set(),
    counts: { prompt: 0, cached: 0, completion: 0, drafted: 0, accepted: 0 },
    ...{ draft, generating: 0 },
    snapshot: (timeline) =>
      loop.between(async () => encodeSnapshot(await readState(parts, timeline))),
  };
  return {
    ...{ contextLen, vocabSize, fingerprint, embeddingSize: config.nEmbd },
    open: () => new CheckpointSession(engine, beginTimeline(memory)),
    async restore(bytes) {
      const state = await decodeSnapshot(bytes, fingerprint);
      const timeline = await loop.between(() => writeState(parts, state));
      return new CheckpointSession(engine, timeline);
    },
    async embed(rows, { signal } = {}) {
      const vectors: Float32Array[] = [];
      for (const some of toRuns(rows, memory))
        vectors.push(...(await Promise.all(some.map((ids) => embedRow(parts, ids, signal)))));
      return vectors;
    },
    stats: () => ({
      ...{ sessions: engine.sessions.size, waiting: loop.waiting, running: loop.running },
      ...{ pagesUsed: pool.used, pagesTotal: pool.total },
      promptTokens: engine.counts.prompt,
      cachedTokens: engine.counts.cached,
      completionTokens: engine.counts.completion,
      draftedTokens: engine.counts.drafted,
      acceptedTokens: engine.counts.accepted,
    }),
    dropPrefixes: () => cache?.clear(),
    async [Symbol.asyncDispose]() {
      for (const session of [...engine.sessions]) await session[Symbol.asyncDispose]();
      await loop.idle();
      cache?.clear();
      await programs.dispose();
    },
  };
}

interface PageSizes {
  readonly pages: number;
  readonly pageLen: number;
  readonly pagesOfText: number;
}

function pageSizes(
  config: ModelConfig,
  options: TokenEngineOptions,
  contextLen: number,
): PageSizes {
  const { pageLen = PAGE_LEN, maxBatch = MAX_BATCH, precision, kvBytes } = options;
  const pagesOfText = Math.ceil(contextLen / pageLen);
  const { nLayer, nKvHead, headDim } = config;
  const pageBytes = 2 * nLayer * pageLen * nKvHead * headDim * (precision === "bf16" ? 2 : 4);
  const afforded = kvBytes === undefined ? undefined : Math.floor(kvBytes / pageBytes);
  const pages = options.pages ?? afforded ?? maxBatch * pagesOfText;
  checkCount("engine", "pages", pages);
  return { pages, pageLen, pagesOfText };
}

function checkOptions(options: TokenEngineOptions, config: ModelConfig): void {
  const { contextLen = 1, vocabSize = 1, maxBatch = 1, pageLen = PAGE_LEN } = options;
  checkCount("engine", "contextLen", contextLen, config.sequenceLen);
  checkCount("engine", "vocabSize", vocabSize, config.vocabSize);
  checkCount("engine", "maxBatch", maxBatch);
  checkCount("engine", "pageLen", pageLen, CHUNK);
  if (options.draft !== undefined)
    checkCount("engine", "draft.tokens", draftTokens(options.draft), 15);
  if (options.kvBytes !== undefined && options.pages !== undefined)
    throw new NutshellError("CONFIG", "engine: memory must be kvBytes or pages, got both.");
  if (options.draft !== undefined && options.steady)
    throw new NutshellError(
      "CONFIG",
      "engine: steady must stand without a draft, got both: who is alone has guesses, and other bits.",
    );
  if (CHUNK % pageLen !== 0 || pageLen % PAGE_LEN !== 0)
    throw new NutshellError("CONFIG", `engine: pageLen must be 16, 32 or 64, got ${pageLen}.`);
}

/** Decode runs of 1, 4, 8, 16 … lanes; prefill runs of one short or some long lanes. */
function loopShape(
  { maxBatch = MAX_BATCH, steady = false, draft }: TokenEngineOptions,
  { pageLen, pagesOfText }: PageSizes,
  vocabSize: number,
): LoopShape {
  const widths = steady ? [] : [1, 4].filter((width) => width < maxBatch);
  for (let width = STEADY_WIDTH; width < maxBatch; width *= 2) widths.push(width);
  widths.push(steady ? Math.max(STEADY_WIDTH, maxBatch) : maxBatch);
  const capacity = pageLen * pagesOfText;
  const width = Math.min(CHUNK, capacity);
  const fills =
    draft === undefined ? [] : [{ lanes: 1, width: Math.min(1 + draftTokens(draft), width) }];
  fills.push({ lanes: 1, width: Math.min(16, width) });
  for (const lanes of [1, FILL_LANES / 2, FILL_LANES]) fills.push({ lanes, width });
  return { maxBatch, widths, fills, pageLen, vocabSize };
}

/** Mean of the last hidden states, scaled to length 1. */
/** As many rows at once as there are lanes, and as memory could hold if it were empty. */
function toRuns(rows: readonly (readonly number[])[], { pool, pageLen }: Memory): number[][][] {
  const runs: number[][][] = [];
  let room = 0;
  for (const row of rows) {
    const pages = Math.ceil(row.length / pageLen);
    const last = runs.at(-1);
    if (last === undefined || pages > room || last.length === FILL_LANES) {
      runs.push([[...row]]);
      room = pool.total - pages;
    } else {
      last.push([...row]);
      room -= pages;
    }
  }
  return runs;
}

async function embedRow(
  { config, loop, memory, contextLen }: Parts,
  ids: readonly number[],
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  checkCount("embed", "tokens of a row", ids.length, contextLen);
  checkIds("embed", ids, config.vocabSize);
  const C = config.nEmbd;
  const sums = new Float64Array(C);
  const onRows = (rows: Float32Array, from: number, to: number): void => {
    for (let i = 0; i < (to - from) * C; i++)
      sums[i % C] = (sums[i % C] as number) + (rows[i] as number);
  };
  const timeline = beginTimeline(memory, false);
  try {
    const to = ids.length;
    await loop.fill({ timeline, ids, to, output: "hidden", onRows, signal });
  } finally {
    closeTimeline(timeline);
  }
  const length = Math.sqrt(sums.reduce((total, x) => total + x * x, 0));
  return Float32Array.from(sums, (x) => x / length);
}
