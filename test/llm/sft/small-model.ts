/** A small model with random weights whose vocabulary is the bytes and the marks of conversations. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { saveCheckpoint } from "../../../src/llm/model/checkpoint.node.ts";
import type { ModelConfig } from "../../../src/llm/model/config.ts";
import { initialise } from "../../../src/llm/model/parameters.ts";
import type { Talk } from "../../../src/llm/run/talk.ts";
import { type SftConfig, sftOptions } from "../../../src/llm/sft/config.ts";
import type { BpeTokenizer } from "../../../src/llm/tokenizer/bpe.ts";
import type { CharacterTokenizer } from "../../../src/llm/tokenizer/character.ts";
import { specialTokens } from "../../../src/llm/tokenizer/special-tokens.ts";
import { toTokenizerJson } from "../../../src/llm/tokenizer/tokenizer-json.ts";
import { trainBpe } from "../../../src/llm/tokenizer/train.ts";
import { resolveOptions } from "../../../src/options.ts";

export const byteChatTokenizer: BpeTokenizer = trainBpe([], {
  vocabSize: 256 + specialTokens.length,
  specialTokens,
});

export const smallConfig: ModelConfig = {
  vocabSize: byteChatTokenizer.vocabSize,
  sequenceLen: 64,
  nLayer: 1,
  nHead: 2,
  nKvHead: 2,
  nEmbd: 32,
  headDim: 16,
  nFfn: 64,
  ropeBase: 10000,
  normEps: 1e-5,
  qkNorm: false,
  tiedEmbeddings: false,
};

/** @returns the checkpoint's folder inside `runFolder` */
export async function saveSmallModel(
  runFolder: string,
  seed = 1,
  tokenizer: BpeTokenizer | CharacterTokenizer = byteChatTokenizer,
): Promise<string> {
  const config = { ...smallConfig, vocabSize: tokenizer.vocabSize };
  const store = createReferenceBackend().createStore();
  await initialise(store, config, seed);
  const texts = { "tokenizer.json": toTokenizerJson(tokenizer) };
  return saveCheckpoint(runFolder, { step: 1, config, store, texts });
}

/** One conversation a line: question, answer. */
export function writeQuestions(
  path: string,
  pairs: readonly (readonly [string, string])[],
): string {
  const lines = pairs.map(([prompt, response]) => JSON.stringify({ prompt, response }));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

/** A configuration for a run of seconds, on one thread and with full precision. */
export function smallSft(values: Partial<SftConfig>): SftConfig {
  const small = {
    ...{ data: "builtin", conversations: 60, sequenceLen: 64, batchSize: 2, steps: 4 },
    ...{ evalConversations: 2, sampleEvery: 1000, logEvery: 1, precision: "f32", threads: 1 },
    ...{ lr: 0.003, mixture: "smalltalk,direct=2" },
  };
  return resolveOptions(sftOptions, { from: "test", values: { ...small, ...values } }) as SftConfig;
}

export const silent: Talk = { say: () => {}, status: () => {} };
