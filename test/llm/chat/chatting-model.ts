/**
 * A real model whose weights are written by hand so that it asks the clock once and then says
 * "Done.". Each id's embedding is its own axis and the head turns it to the id that comes next, as
 * in `speaking-model.ts`. One attention head looks at all tokens alike and carries over whether a
 * tool's result was among them; the head reads that on an axis of its own, so that the first token
 * of a turn is a call before a result and text after it.
 */
import type { Store } from "../../../src/compute/backend.ts";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { saveCheckpoint } from "../../../src/llm/model/checkpoint.node.ts";
import type { ModelConfig } from "../../../src/llm/model/config.ts";
import { parameterSpecs } from "../../../src/llm/model/parameters.ts";
import { toTokenizerJson } from "../../../src/llm/tokenizer/tokenizer-json.ts";
import { chatTokenizer, idsOf } from "./tokenizer.ts";

const C = 276;
const SEEN = C - 1;

export const chattingConfig: ModelConfig = {
  vocabSize: C,
  sequenceLen: 96,
  nLayer: 1,
  nHead: 1,
  nKvHead: 1,
  nEmbd: C,
  headDim: 2,
  nFfn: 2,
  ropeBase: 10000,
  normEps: 1e-5,
  qkNorm: false,
  tiedEmbeddings: false,
};

/** Which id follows which, the marks spelled out; a first turn without a chain begins with D. */
export type Chains = readonly string[];

export const asksClock: Chains = [
  "<|assistant_start|><|call_start|>clock {}<|call_end|><|assistant_end|>",
  "Done.<|assistant_end|>",
];
/** Never ends a turn. */
export const talksOn: Chains = ["Done.D"];
/** Goes on as if it were the user. */
export const speaksForTheUser: Chains = ["Done.<|user_start|>"];

export async function chattingStore(chains: Chains = asksClock): Promise<Store> {
  const [start = 0] = idsOf("<|assistant_start|>");
  const [callStart = 0] = idsOf("<|call_start|>");
  const [toolEnd = 0] = idsOf("<|tool_end|>");
  const [firstLetter = 0] = idsOf("D");
  const tensors = new Map<string, Float32Array>();
  const layer = "model.layers.0";
  const head = new Float32Array(C * C);
  for (const chain of chains)
    idsOf(chain).reduce((id, next) => {
      head[next * C + id] = 2;
      return next;
    });
  head[firstLetter * C + start] = 1;
  head[callStart * C + SEEN] = -1;
  tensors.set("lm_head.weight", head);
  const embedding = new Float32Array(C * C);
  for (let id = 0; id < C; id++) embedding[id * C + id] = 1;
  tensors.set("model.embed_tokens.weight", embedding);
  const values = new Float32Array(2 * C);
  values[toolEnd] = 1;
  tensors.set(`${layer}.self_attn.v_proj.weight`, values);
  const out = new Float32Array(C * 2);
  out[SEEN * 2] = 100;
  tensors.set(`${layer}.self_attn.o_proj.weight`, out);
  return fillStore(tensors);
}

/** What is not given: ones for the gains of norms, else zeros. */
async function fillStore(tensors: ReadonlyMap<string, Float32Array>): Promise<Store> {
  const store = createReferenceBackend().createStore();
  for (const { name, shape, init } of parameterSpecs(chattingConfig)) {
    store.define(name, { shape, dtype: "f32" });
    const given = tensors.get(name);
    if (given !== undefined) await store.write(name, given);
    else if (init.kind === "ones") await store.write(name, new Float32Array(C).fill(1));
  }
  return store;
}

/** @returns the checkpoint's folder inside `runFolder` */
export async function saveChattingModel(
  runFolder: string,
  chains: Chains = asksClock,
): Promise<string> {
  const texts = { "tokenizer.json": toTokenizerJson(chatTokenizer) };
  const store = await chattingStore(chains);
  return saveCheckpoint(runFolder, { step: 1, config: chattingConfig, store, texts });
}
