/** The two sides of bench:infer behind one interface: what a round asks and how it is timed. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Backend, Store } from "../src/compute/backend.ts";
import { createTokenEngine } from "../src/llm/inference/checkpoint-engine.ts";
import type { TokenEngine, TokenSampler, TokenSession } from "../src/llm/inference/token-engine.ts";
import type { ModelConfig } from "../src/llm/model/config.ts";
import { type Peer, startPeer } from "./peer.node.ts";
import { secondsOf } from "./report.ts";

/** Tokens of the one prompt, and new ones after it. */
export const PROMPT = 512;
export const TOKENS = 128;
const [STREAMS, STREAM_PROMPT, STREAM_TOKENS] = [16, 32, 64];

/** Tokens per second, and milliseconds to the first new token after a prompt of `PROMPT`. */
export interface Measured {
  readonly prefill: number;
  readonly decode: number;
  readonly firstMs: number;
  readonly streams: number;
  /** Of a timeline of PROMPT + TOKENS tokens; ours only. */
  readonly snapshotMs?: number;
  readonly restoreMs?: number;
  readonly snapshotBytes?: number;
}

export interface Contestant {
  /** @param n of the round: each has prompts of its own, so that none is remembered */
  round(n: number): Promise<Measured>;
  dispose(): Promise<void>;
}

/** Ids that look like nothing, different for each `n`. */
function promptOf(n: number, length: number): number[] {
  return Array.from({ length }, (_, t) => (n * 7919 + t * 31 + ((t * t) % 97)) % 256);
}

const streamPrompts = (n: number): number[][] =>
  Array.from({ length: STREAMS }, (_, i) => promptOf(1000 * (n + 1) + i, STREAM_PROMPT));

const greedy: TokenSampler = {
  plain: { temperature: 0, seed: 0 },
  sample: () => {
    throw new Error("a plain sampler is the engine's own");
  },
};

export async function ours(
  backend: Backend,
  store: Store,
  config: ModelConfig,
  weights: "bf16" | "q8_0",
): Promise<Contestant> {
  const options = { precision: "bf16", weights, maxBatch: STREAMS } as const;
  const engine = await createTokenEngine(backend, store, config, options);
  return {
    round: (n) => ourRound(engine, n),
    async dispose() {
      await engine[Symbol.asyncDispose]();
    },
  };
}

async function ourRound(engine: TokenEngine, n: number): Promise<Measured> {
  const prefill = await prefillSeconds(engine, promptOf(3 * n, PROMPT));
  await using session = engine.open();
  const start = performance.now();
  await session.append(promptOf(3 * n + 1, PROMPT));
  const [first, last] = await generate(session, TOKENS);
  const streams = await streamSeconds(engine, streamPrompts(n));
  return {
    prefill: PROMPT / prefill,
    decode: (1000 * (TOKENS - 1)) / (last - first),
    firstMs: first - start,
    streams: (STREAMS * (STREAM_TOKENS - 1)) / streams,
    ...(await snapshotTimes(engine, session)),
  };
}

async function prefillSeconds(engine: TokenEngine, ids: number[]): Promise<number> {
  await using session = engine.open();
  return await secondsOf(() => session.append(ids));
}

/** @returns when the first and the last of `tokens` new tokens came, in ms */
async function generate(session: TokenSession, tokens: number): Promise<[number, number]> {
  let first = 0;
  for await (const _ of session.generate({ sampler: greedy, maxTokens: tokens }))
    first ||= performance.now();
  return [first, performance.now()];
}

/** From the moment when all have their prompts to the last token of all. */
async function streamSeconds(engine: TokenEngine, prompts: number[][]): Promise<number> {
  const sessions = prompts.map(() => engine.open());
  await Promise.all(sessions.map((session, i) => session.append(prompts[i] as number[])));
  const times = await Promise.all(sessions.map((session) => generate(session, STREAM_TOKENS)));
  await Promise.all(sessions.map((session) => session[Symbol.asyncDispose]()));
  return spanOf(times);
}

function spanOf(times: readonly (readonly [number, number])[]): number {
  const first = Math.min(...times.map(([first]) => first));
  return (Math.max(...times.map(([, last]) => last)) - first) / 1000;
}

async function snapshotTimes(
  engine: TokenEngine,
  session: TokenSession,
): Promise<Pick<Measured, "snapshotMs" | "restoreMs" | "snapshotBytes">> {
  let bytes = new Uint8Array();
  const save = await secondsOf(async () => {
    bytes = new Uint8Array(await session.snapshot());
  });
  const restore = await secondsOf(async () => {
    await (await engine.restore(bytes))[Symbol.asyncDispose]();
  });
  return { snapshotMs: 1000 * save, restoreMs: 1000 * restore, snapshotBytes: bytes.length };
}

export const howToInstall = "npm run peers";
const PEER = fileURLToPath(new URL("peers/node_modules/node-llama-cpp", import.meta.url));
const SCRIPT = fileURLToPath(new URL("llama/answer.ts", import.meta.url));

export interface LlamaOptions {
  readonly threads: number;
  /** Tokens of each text. */
  readonly context: number;
}

/** @returns undefined where the peer is not installed */
export async function theirs(
  file: string,
  { threads, context }: LlamaOptions,
): Promise<Contestant | undefined> {
  if (!existsSync(PEER)) return undefined;
  const args = [file, `${threads}`, `${context}`, `${STREAMS}`] as const;
  const peer = await startPeer(process.execPath, [SCRIPT, ...args]);
  return { round: (n) => theirRound(peer, n), dispose: () => peer.stop() };
}

async function theirRound(peer: Peer, n: number): Promise<Measured> {
  const ask = (question: object) => peer.request(question) as Promise<Record<string, number>>;
  const prefill = await ask({ op: "prefill", ids: promptOf(3 * n, PROMPT) });
  const decode = await ask({ op: "decode", ids: promptOf(3 * n + 1, PROMPT), tokens: TOKENS });
  const streams = await ask({ op: "streams", prompts: streamPrompts(n), tokens: STREAM_TOKENS });
  return {
    prefill: PROMPT / (prefill.seconds as number),
    decode: (TOKENS - 1) / (decode.seconds as number),
    firstMs: 1000 * (decode.first as number),
    streams: (STREAMS * (STREAM_TOKENS - 1)) / (streams.seconds as number),
  };
}
