/** Config rules, and config.json to and from: what we write we read, what we cannot do we refuse. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkModelConfig, type ModelConfig } from "../../../src/llm/model/config.ts";
import { fromHfConfig, toHfConfig } from "../../../src/llm/model/hugging-face-config.ts";

const config: ModelConfig = {
  vocabSize: 300,
  sequenceLen: 128,
  nLayer: 3,
  nHead: 6,
  nKvHead: 2,
  nEmbd: 48,
  headDim: 16,
  nFfn: 128,
  ropeBase: 10000,
  normEps: 1e-5,
  qkNorm: false,
  tiedEmbeddings: false,
};

test("config.json round trip keeps every field of every architecture", () => {
  const variants: [Partial<ModelConfig>, string][] = [
    [{}, "LlamaForCausalLM"],
    [{ tiedEmbeddings: true, ropeBase: 500000 }, "LlamaForCausalLM"],
    [{ window: 32 }, "MistralForCausalLM"],
    [{ qkNorm: true }, "Qwen3ForCausalLM"],
    [{ qkNorm: true, window: 64, tiedEmbeddings: true }, "Qwen3ForCausalLM"],
  ];
  for (const [changes, architecture] of variants) {
    const changed = { ...config, ...changes };
    const json = JSON.parse(JSON.stringify(toHfConfig(changed)));
    assert.deepEqual(json.architectures, [architecture]);
    assert.deepEqual(fromHfConfig(json), changed);
  }
});

test("the published config of TinyLlama 1.1B reads, with the library's defaults filled in", () => {
  const read = fromHfConfig({
    architectures: ["LlamaForCausalLM"],
    attention_bias: false,
    hidden_act: "silu",
    hidden_size: 2048,
    intermediate_size: 5632,
    max_position_embeddings: 2048,
    num_attention_heads: 32,
    num_hidden_layers: 22,
    num_key_value_heads: 4,
    pretraining_tp: 1,
    rms_norm_eps: 1e-5,
    rope_scaling: null,
    tie_word_embeddings: false,
    vocab_size: 32000,
  });
  assert.deepEqual([read.headDim, read.nKvHead, read.ropeBase], [64, 4, 10000]);
  assert.equal(read.tiedEmbeddings, false);
});

test("Qwen3 without its sliding window switched on has none", () => {
  const json = { ...toHfConfig({ ...config, qkNorm: true }), sliding_window: 4096 };
  assert.equal(fromHfConfig({ ...json, use_sliding_window: false }).window, undefined);
});

test("unsupported architectures and features are refused by name", () => {
  const json = toHfConfig(config);
  const refused: [Record<string, unknown>, RegExp][] = [
    [{ architectures: ["GPT2LMHeadModel"] }, /architectures.*LlamaForCausalLM.*GPT2LMHeadModel/],
    [{ architectures: undefined }, /architectures.*got none/],
    [{ architectures: ["constructor"] }, /architectures/],
    [{ rope_scaling: { rope_type: "llama3", factor: 8 } }, /rope_scaling.*llama3/],
    [{ rope_parameters: { rope_type: "yarn" } }, /rope_parameters/],
    [{ attention_bias: true }, /attention_bias.*true/],
    [{ mlp_bias: true }, /mlp_bias/],
    [{ hidden_act: "gelu" }, /hidden_act.*gelu/],
    [{ quantization_config: { bits: 4 } }, /quantization_config/],
    [{ partial_rotary_factor: 0.5 }, /partial_rotary_factor/],
    [{ layer_types: ["full_attention", "sliding_attention"] }, /layer_types/],
    [{ hidden_size: "big" }, /hidden_size must be a number, got "big"/],
    [{ vocab_size: undefined }, /vocab_size must be a number, got none/],
    [{ num_key_value_heads: 4 }, /nKvHead must divide nHead, got 4 with nHead 6/],
  ];
  for (const [changes, message] of refused)
    assert.throws(() => fromHfConfig({ ...json, ...changes }, "m/config.json"), {
      code: "CONFIG",
      message: new RegExp(`^m/config\\.json: ${message.source}`),
    });
});

test("plain rope in its new form and a rope base inside it are accepted", () => {
  const { rope_theta: _, ...json } = toHfConfig(config);
  const rope = { rope_type: "default", rope_theta: 70000 };
  assert.equal(fromHfConfig({ ...json, rope_parameters: rope }).ropeBase, 70000);
  assert.equal(fromHfConfig({ ...json, rope_scaling: { type: "default" } }).ropeBase, 10000);
});

test("a config that breaks a rule is refused in one line", () => {
  const broken: [Partial<ModelConfig>, RegExp][] = [
    [{ nLayer: 0 }, /nLayer must be a whole number/],
    [{ vocabSize: 10.5 }, /vocabSize .*got 10.5/],
    [{ nKvHead: 4 }, /nKvHead must divide nHead/],
    [{ headDim: 15 }, /headDim must be even/],
    [{ ropeBase: Number.NaN }, /ropeBase/],
    [{ normEps: -1 }, /normEps/],
    [{ window: 0 }, /window/],
  ];
  for (const [changes, message] of broken)
    assert.throws(() => checkModelConfig({ ...config, ...changes }), { code: "CONFIG", message });
});
