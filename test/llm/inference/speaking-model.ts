/**
 * A real model whose weights are written by hand so that it says one text: each byte's embedding
 * is its own axis, attention and MLP add nothing, and the head turns every axis to the byte that
 * comes next. The text's bytes must differ from one another, since the model sees only the last.
 */
import type { Store } from "../../../src/compute/backend.ts";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { saveCheckpoint } from "../../../src/llm/model/checkpoint.node.ts";
import type { ModelConfig } from "../../../src/llm/model/config.ts";
import { parameterSpecs } from "../../../src/llm/model/parameters.ts";
import type { BpeTokenizer } from "../../../src/llm/tokenizer/bpe.ts";
import { toTokenizerJson } from "../../../src/llm/tokenizer/tokenizer-json.ts";
import { trainBpe } from "../../../src/llm/tokenizer/train.ts";

/** One token per byte, and bos. */
export const byteTokenizer: BpeTokenizer = trainBpe([], { vocabSize: 257 });
const BOS = 256;

export const speakingConfig: ModelConfig = {
  // Longer than the tokenizer's, like a table padded for speed.
  vocabSize: 260,
  sequenceLen: 3000,
  nLayer: 1,
  nHead: 1,
  nKvHead: 1,
  nEmbd: 260,
  headDim: 2,
  nFfn: 2,
  ropeBase: 10000,
  normEps: 1e-5,
  qkNorm: false,
  tiedEmbeddings: false,
};

/** @param endless the text's end is followed by its beginning, in place of the end of the text */
export async function speakingStore(text: string, endless = false): Promise<Store> {
  const { vocabSize: V, nEmbd: C } = speakingConfig;
  const bytes = [...byteTokenizer.encode(text)];
  const order = endless ? [...bytes, bytes[0] as number] : [...bytes, BOS];
  const embedding = new Float32Array(V * C);
  const head = new Float32Array(V * C);
  for (let id = 0; id < V; id++) {
    embedding[id * C + id] = 1;
    const next = id === BOS ? order[0] : order[order.indexOf(id) + 1];
    head[(next as number) * C + id] = 2;
  }
  const store = createReferenceBackend().createStore();
  for (const { name, shape, init } of parameterSpecs(speakingConfig)) {
    store.define(name, { shape, dtype: "f32" });
    if (init.kind === "ones") await store.write(name, new Float32Array(C).fill(1));
  }
  await store.write("model.embed_tokens.weight", embedding);
  await store.write("lm_head.weight", head);
  return store;
}

/** @returns the checkpoint's folder inside `runFolder` */
export async function saveSpeakingModel(
  runFolder: string,
  text: string,
  endless = false,
): Promise<string> {
  const texts = { "tokenizer.json": toTokenizerJson(byteTokenizer) };
  const store = await speakingStore(text, endless);
  return saveCheckpoint(runFolder, { step: 1, config: speakingConfig, store, texts });
}
