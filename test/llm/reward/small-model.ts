/** A small chat model with random weights, rankings that are easy to learn, runs of seconds. */
import { writeFileSync } from "node:fs";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { saveCheckpoint } from "../../../src/llm/model/checkpoint.node.ts";
import type { ModelConfig } from "../../../src/llm/model/config.ts";
import { initialise } from "../../../src/llm/model/parameters.ts";
import { type RewardConfig, rewardOptions } from "../../../src/llm/reward/config.ts";
import type { Talk } from "../../../src/llm/run/talk.ts";
import { toTokenizerJson } from "../../../src/llm/tokenizer/tokenizer-json.ts";
import { resolveOptions } from "../../../src/options.ts";
import { chatTokenizer } from "../chat/tokenizer.ts";

export const smallConfig: ModelConfig = {
  ...{ vocabSize: chatTokenizer.vocabSize, sequenceLen: 48, nLayer: 2, nHead: 2, nKvHead: 2 },
  ...{ nEmbd: 32, headDim: 16, nFfn: 64, ropeBase: 10000, normEps: 1e-5 },
  ...{ qkNorm: false, tiedEmbeddings: false },
};

/** @returns the checkpoint's folder inside `runFolder` */
export async function saveSmallModel(runFolder: string): Promise<string> {
  const store = createReferenceBackend().createStore();
  await initialise(store, smallConfig, 1);
  const texts = { "tokenizer.json": toTokenizerJson(chatTokenizer) };
  return saveCheckpoint(runFolder, { step: 1, config: smallConfig, store, texts });
}

/** Three answers to each of many questions: the more `a` and the less `b`, the better. */
export function easyRanking(index: number): { prompt: string; responses: string[] } {
  const tail = "c".repeat(index % 4);
  const text = (good: number): string => "a".repeat(good) + "b".repeat(6 - good) + tail;
  return { prompt: `question ${index}`, responses: [text(1), text(5), text(3)] };
}

/** Length says nothing about them. @returns the path */
export function writeEasyRankings(path: string, count: number): string {
  const rows = Array.from({ length: count }, (_, i) =>
    JSON.stringify({ ...easyRanking(i), ranking: [1, 2, 0] }),
  );
  writeFileSync(path, `${rows.join("\n")}\n`);
  return path;
}

export function smallReward(values: Partial<RewardConfig>): RewardConfig {
  const small: Partial<RewardConfig> = {
    ...{ batchSize: 12, maxResponses: 4, sequenceLen: 48, heldOut: 40, precision: "f32" },
    ...{ lr: 5e-3, warmup: 2, evalEvery: 1000, saveEvery: 1000, threads: 1 },
  };
  return resolveOptions(rewardOptions, { from: "test", values: { ...small, ...values } });
}

/** Keeps what is said. */
export function listen(): { talk: Talk; said: string[] } {
  const said: string[] = [];
  return { talk: { say: (line) => void said.push(line), status: () => {} }, said };
}
