/**
 * A small model with random weights, saved as a checkpoint: every size differs from the others, so
 * that a mix-up shows, and its tokenizer has merges, digits and the marks of conversations.
 */
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { renderChatFiles } from "../../../src/llm/chat/hugging-face.ts";
import { createStory } from "../../../src/llm/data/builtin/stories.ts";
import { saveCheckpoint } from "../../../src/llm/model/checkpoint.node.ts";
import type { ModelConfig } from "../../../src/llm/model/config.ts";
import { initialise, parameterSpecs } from "../../../src/llm/model/parameters.ts";
import type { BpeTokenizer } from "../../../src/llm/tokenizer/bpe.ts";
import { specialTokens } from "../../../src/llm/tokenizer/special-tokens.ts";
import { toTokenizerJson } from "../../../src/llm/tokenizer/tokenizer-json.ts";
import { trainBpe } from "../../../src/llm/tokenizer/train.ts";

const stories = Array.from({ length: 40 }, (_, i) => `${createStory(i)} ${1900 + i} don't, I'LL!`);

export function storyTokenizer(pattern?: string): BpeTokenizer {
  const options = pattern === undefined ? {} : { pattern };
  return trainBpe(stories, { vocabSize: 500, specialTokens, ...options });
}

export const tinyConfig: ModelConfig = {
  // Rows without a token, as in a table that is padded for speed.
  vocabSize: 512,
  sequenceLen: 96,
  nLayer: 2,
  nHead: 4,
  nKvHead: 2,
  nEmbd: 64,
  headDim: 32,
  nFfn: 96,
  ropeBase: 10000,
  normEps: 1e-5,
  qkNorm: false,
  tiedEmbeddings: false,
};

/** Gains away from one and matrices large enough that tokens differ clearly. */
export async function saveTinyModel(
  runFolder: string,
  changes: Partial<ModelConfig> = {},
  tokenizer: BpeTokenizer = storyTokenizer(),
  dtype: "F32" | "BF16" | "Q8_0" = "F32",
): Promise<string> {
  const config = { ...tinyConfig, ...changes };
  const store = createReferenceBackend().createStore();
  await initialise(store, config, 7);
  for (const { name, role } of parameterSpecs(config)) {
    const values = (await store.read(name)) as Float32Array;
    const change = (x: number, i: number): number =>
      role === "gain" ? 1 + Math.sin(i + name.length) / 4 : x * (role === "matrix" ? 9 : 10);
    await store.write(name, values.map(change));
  }
  const texts = {
    "tokenizer.json": toTokenizerJson(tokenizer),
    ...renderChatFiles(tokenizer, config.sequenceLen),
  };
  return saveCheckpoint(runFolder, { step: 1, config, store, texts, dtype });
}
