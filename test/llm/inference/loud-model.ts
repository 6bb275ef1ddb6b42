/**
 * A real model of random weights, large enough that its logits differ plainly: greedy texts are its
 * own, no ties of an untrained model. And what follows from a full forward without any cache.
 */
import type { Backend, Program, Store } from "../../../src/compute/backend.ts";
import { input } from "../../../src/compute/graph.ts";
import {
  type CheckpointEngine,
  createTokenEngine,
  type TokenEngineOptions,
} from "../../../src/llm/inference/checkpoint-engine.ts";
import type {
  TokenGenerateOptions,
  TokenSampler,
  TokenSession,
} from "../../../src/llm/inference/token-engine.ts";
import type { ModelConfig } from "../../../src/llm/model/config.ts";
import { initialise } from "../../../src/llm/model/parameters.ts";
import { hiddenStates, logits, modelParameters } from "../../../src/llm/model/transformer.ts";

export const loudConfig: ModelConfig = {
  vocabSize: 61,
  sequenceLen: 160,
  nLayer: 2,
  nHead: 4,
  nKvHead: 2,
  nEmbd: 32,
  headDim: 8,
  nFfn: 64,
  ropeBase: 10000,
  normEps: 1e-5,
  qkNorm: false,
  tiedEmbeddings: false,
};

const LOUDNESS = 12;

export async function loudStore(backend: Backend, seed: number = 1): Promise<Store> {
  const store = backend.createStore();
  await initialise(store, loudConfig, seed);
  for (const name of store.names())
    if (!name.includes("norm"))
      await store.write(
        name,
        Float32Array.from(await store.read(name), (x) => LOUDNESS * x),
      );
  return store;
}

export async function loudEngine(
  backend: Backend,
  options: Partial<TokenEngineOptions> = {},
): Promise<CheckpointEngine> {
  // One size of cache, so that programs of one kind are compiled once.
  return createTokenEngine(backend, await loudStore(backend), loudConfig, {
    precision: "f32",
    pages: 160,
    ...options,
  });
}

/** Ids that look like a text; other seeds, other texts. */
export const text = (length: number, seed: number = 0): number[] =>
  Array.from({ length }, (_, i) => (i * i * 7 + i * 13 + seed * 29 + 3) % loudConfig.vocabSize);

/** Every test's texts fit. */
const FULL_LEN = 112;
const forwards = new Map<Backend, Promise<Program>>();

async function compileForward(backend: Backend): Promise<Program> {
  const ids = input("ids", [1, FULL_LEN], "i32");
  const params = modelParameters(loudConfig);
  const { hidden } = hiddenStates(loudConfig, params, ids, { precision: "f32" });
  const outputs = { hidden, logits: logits(loudConfig, params, hidden, "f32") };
  return backend.compile({ outputs }, await loudStore(backend));
}

/** Logits f32 [T, V] and hidden states [T, C] of all ids at once; causal, so padding is nothing. */
export async function fullForward(
  backend: Backend,
  ids: readonly number[],
): Promise<{ logits: Float32Array; hidden: Float32Array }> {
  const program = forwards.get(backend) ?? compileForward(backend);
  forwards.set(backend, program);
  const padded = new Int32Array(FULL_LEN);
  padded.set(ids);
  const result = await (await program).run({ ids: padded });
  const rows = (x: unknown, size: number): Float32Array =>
    (x as Float32Array).subarray(0, ids.length * size);
  return {
    logits: rows(result.logits, loudConfig.vocabSize),
    hidden: rows(result.hidden, loudConfig.nEmbd),
  };
}

export const argmax = (row: Float32Array): number => row.indexOf(Math.max(...row));

/** The likeliest token, chosen here: the engine hands its logits out. */
export const greedy: TokenSampler = { sample: argmax };
/** The same, chosen by the engine. */
export const plainGreedy: TokenSampler = { ...greedy, plain: { temperature: 0, seed: 0 } };
export const plain = (seed: number, temperature: number = 1): TokenSampler => ({
  plain: { temperature, seed },
  sample: () => {
    throw new Error("a plain sampler is the engine's");
  },
});

export async function take(
  session: TokenSession,
  options: Partial<TokenGenerateOptions> = {},
): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of session.generate({ sampler: plainGreedy, ...options })) ids.push(id);
  return ids;
}

/** What follows a prompt on a timeline of its own. */
export async function follow(
  engine: CheckpointEngine,
  prompt: readonly number[],
  options: Partial<TokenGenerateOptions> = {},
): Promise<number[]> {
  await using session = engine.open();
  await session.append(prompt);
  return await take(session, options);
}
