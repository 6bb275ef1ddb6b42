/**
 * Every parameter of a model in one fixed order, under Hugging Face's names, with its initial
 * values. Graphs, optimizers and checkpoints walk this list and nothing else.
 *
 * Initial values are GPT-2's: N(0, 0.02²), and the two matrices that write into the residual
 * stream divided by sqrt(2L), so that its variance does not grow with depth (Radford et al. 2019,
 * §2.3; 0.02 is also `initializer_range` of Llama's and Qwen3's files). Gains start at one.
 */
import type { Store } from "../../compute/backend.ts";
import type { Shape } from "../../compute/graph.ts";
import { fillNormal } from "../../compute/philox.ts";
import { sizeOf } from "../../compute/shape.ts";
import type { ModelConfig } from "./config.ts";

/** What a parameter does; optimizers choose their rule and rate by it. */
export type ParameterRole = "embedding" | "head" | "matrix" | "gain";

export type ParameterInit =
  | { readonly kind: "normal"; readonly std: number }
  | { readonly kind: "ones" };

export interface ParameterSpec {
  readonly name: string;
  /** Matrices are [out, in]. */
  readonly shape: Shape;
  readonly role: ParameterRole;
  readonly init: ParameterInit;
}

const STD = 0.02;
/** Initial values have Philox streams of their own, away from data order and sampling. */
const FIRST_STREAM = 0x1000000;

const gain = (name: string, size: number): ParameterSpec => ({
  name,
  shape: [size],
  role: "gain",
  init: { kind: "ones" },
});

const normal = (
  name: string,
  shape: Shape,
  role: ParameterRole = "matrix",
  std = STD,
): ParameterSpec => ({ name, shape, role, init: { kind: "normal", std } });

function layerSpecs(config: ModelConfig, layer: number): ParameterSpec[] {
  const { nEmbd: C, nHead: H, nKvHead: K, headDim: D, nFfn: F } = config;
  const at = `model.layers.${layer}`;
  const residualStd = STD / Math.sqrt(2 * config.nLayer);
  const qkGains = [
    gain(`${at}.self_attn.q_norm.weight`, D),
    gain(`${at}.self_attn.k_norm.weight`, D),
  ];
  return [
    gain(`${at}.input_layernorm.weight`, C),
    normal(`${at}.self_attn.q_proj.weight`, [H * D, C]),
    normal(`${at}.self_attn.k_proj.weight`, [K * D, C]),
    normal(`${at}.self_attn.v_proj.weight`, [K * D, C]),
    ...(config.qkNorm ? qkGains : []),
    normal(`${at}.self_attn.o_proj.weight`, [C, H * D], "matrix", residualStd),
    gain(`${at}.post_attention_layernorm.weight`, C),
    normal(`${at}.mlp.gate_proj.weight`, [F, C]),
    normal(`${at}.mlp.up_proj.weight`, [F, C]),
    normal(`${at}.mlp.down_proj.weight`, [C, F], "matrix", residualStd),
  ];
}

/** @returns all parameters in the order of the forward pass; a tied head is not listed. */
export function parameterSpecs(config: ModelConfig): ParameterSpec[] {
  const { vocabSize: V, nEmbd: C } = config;
  const layers = Array.from({ length: config.nLayer }, (_, layer) => layerSpecs(config, layer));
  return [
    normal("model.embed_tokens.weight", [V, C], "embedding"),
    ...layers.flat(),
    gain("model.norm.weight", C),
    ...(config.tiedEmbeddings ? [] : [normal("lm_head.weight", [V, C], "head")]),
  ];
}

/** Fills the store with a new model: a function of (config, seed) on every backend. */
export async function initialise(store: Store, config: ModelConfig, seed: number): Promise<void> {
  const specs = parameterSpecs(config);
  // One buffer for all: the garbage of a copy each would weigh as much as the model.
  const buffer = new Float32Array(Math.max(...specs.map(({ shape }) => sizeOf(shape))));
  for (const [index, { name, shape, init }] of specs.entries()) {
    const data = buffer.subarray(0, sizeOf(shape));
    if (init.kind === "ones") data.fill(1);
    else fillNormal(data, init.std, seed, FIRST_STREAM + index);
    store.define(name, { shape, dtype: "f32" });
    await store.write(name, data);
  }
}
