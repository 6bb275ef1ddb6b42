/** A small chat model with random weights, runs of seconds, and a bandit to learn. */
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { saveCheckpoint } from "../../../src/llm/model/checkpoint.node.ts";
import type { ModelConfig } from "../../../src/llm/model/config.ts";
import { initialise } from "../../../src/llm/model/parameters.ts";
import { type RlConfig, rlOptions } from "../../../src/llm/rl/config.ts";
import type { Talk } from "../../../src/llm/run/talk.ts";
import type { Task } from "../../../src/llm/tasks/task.ts";
import { toTokenizerJson } from "../../../src/llm/tokenizer/tokenizer-json.ts";
import { resolveOptions } from "../../../src/options.ts";
import { chatTokenizer } from "../chat/tokenizer.ts";

export const smallConfig: ModelConfig = {
  vocabSize: chatTokenizer.vocabSize,
  sequenceLen: 24,
  nLayer: 1,
  nHead: 1,
  nKvHead: 1,
  nEmbd: 16,
  headDim: 16,
  nFfn: 16,
  ropeBase: 10000,
  normEps: 1e-5,
  qkNorm: false,
  tiedEmbeddings: false,
};

/** @returns the checkpoint's folder inside `runFolder` */
export async function saveSmallModel(
  runFolder: string,
  seed = 1,
  changes: Partial<ModelConfig> = {},
): Promise<string> {
  const config = { ...smallConfig, ...changes };
  const store = createReferenceBackend().createStore();
  await initialise(store, config, seed);
  const texts = { "tokenizer.json": toTokenizerJson(chatTokenizer) };
  return saveCheckpoint(runFolder, { step: 1, config, store, texts });
}

/** One token is the whole reply and one arm: letters are paid, all else is not. */
export const bandit: Task = {
  name: "bandit",
  description: "any small letter",
  problem: () => ({
    prompt: [{ role: "user", content: "?" }],
    solution: [{ role: "assistant", content: "a" }],
    context: { now: new Date(0), files: {} },
    grade: ([reply]) => (/^[a-z]/.test(reply?.content ?? "") ? 1 : 0),
  }),
};

/** A configuration for a run of seconds, with full precision and plain JavaScript. */
export function smallRl(values: Partial<RlConfig>): RlConfig {
  const small = {
    ...{ steps: 20, promptsPerStep: 4, samplesPerPrompt: 12, maxTokens: 1, sequenceLen: 8 },
    ...{ batchSize: 32, slots: 32, lr: 0.03, schedule: "constant", precision: "f32", kl: 0 },
    ...{ backend: "reference", threads: 1, evalProblems: 50, evalEvery: 1000, saveEvery: 1000 },
  };
  return resolveOptions(rlOptions, { from: "test", values: { ...small, ...values } }) as RlConfig;
}

export const silent: Talk = { say: () => {}, status: () => {} };
