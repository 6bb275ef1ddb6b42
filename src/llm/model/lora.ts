/**
 * Low-rank updates of frozen matrices: W + (alpha / r) · B·A, with A [r, in] and B [out, r]. The
 * sum is part of the graph, so that the model's own functions compute with it unchanged and
 * gradients reach A and B alone. B starts at zero: the first step sees the base model exactly.
 *
 * Names are those of PEFT's files, where q_proj of layer 0 has
 * `base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight`.
 *
 * @see Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models"
 */
import type { Store } from "../../compute/backend.ts";
import { type Graph, state, type Value } from "../../compute/graph.ts";
import { add, mul } from "../../compute/ops/elementwise.ts";
import { matmul } from "../../compute/ops/matmul.ts";
import { fillNormal } from "../../compute/philox.ts";
import { sizeOf } from "../../compute/shape.ts";
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "./config.ts";
import { type ParameterSpec, parameterSpecs } from "./parameters.ts";
import { modelParameters } from "./transformer.ts";

/** Matrices of a layer by their short names. */
const modules = {
  q: "self_attn.q_proj",
  k: "self_attn.k_proj",
  v: "self_attn.v_proj",
  o: "self_attn.o_proj",
  gate: "mlp.gate_proj",
  up: "mlp.up_proj",
  down: "mlp.down_proj",
} as const;

export type LoraTarget = keyof typeof modules;

export interface LoraOptions {
  readonly rank: number;
  readonly alpha: number;
  readonly targets: readonly LoraTarget[];
}

interface Pair {
  /** The frozen matrix. */
  readonly base: ParameterSpec;
  readonly a: ParameterSpec;
  readonly b: ParameterSpec;
}

/** Philox streams of A, away from those of the model's own initial values. */
const FIRST_STREAM = 0x2000000;

/** @param text names with commas between  @throws CONFIG for a name that is none, or none at all */
export function parseLoraTargets(text: string): LoraTarget[] {
  const names = [...new Set(text.split(",").map((name) => name.trim()))];
  const stranger = names.find((name) => !Object.hasOwn(modules, name));
  if (stranger === undefined) return names as LoraTarget[];
  const known = Object.keys(modules).join(", ");
  throw new NutshellError("CONFIG", `lora: targets must be of ${known}, got "${stranger}".`);
}

function pairsOf(config: ModelConfig, { rank, targets }: LoraOptions): Pair[] {
  const ends = targets.map((target) => `.${modules[target]}.weight`);
  const chosen = parameterSpecs(config).filter(({ name }) =>
    ends.some((end) => name.endsWith(end)),
  );
  return chosen.map((base) => {
    const [out, inner] = base.shape as [number, number];
    const named = (part: string): string =>
      `base_model.model.${base.name.replace(/weight$/, `lora_${part}.weight`)}`;
    // PEFT draws A uniformly from ±1 / √in, whose deviation this is.
    const std = 1 / Math.sqrt(3 * inner);
    const matrix = (part: string, shape: [number, number], deviation: number): ParameterSpec => ({
      ...{ name: named(part), shape, role: "matrix" },
      init: { kind: "normal", std: deviation },
    });
    return { base, a: matrix("A", [rank, inner], std), b: matrix("B", [out, rank], 0) };
  });
}

/** What is trained: A and B of each chosen matrix, in the order of the model's parameters. */
export function loraSpecs(config: ModelConfig, lora: LoraOptions): ParameterSpec[] {
  return pairsOf(config, lora).flatMap(({ a, b }) => [a, b]);
}

/**
 * The model's parameters by name, chosen ones as sums with their updates, and the state leaves of
 * `loraSpecs`.
 */
export function loraParameters(config: ModelConfig, lora: LoraOptions): Map<string, Value> {
  const params = modelParameters(config);
  for (const { base, a, b } of pairsOf(config, lora)) {
    const [left, right] = [state(b.name, b.shape), state(a.name, a.shape)];
    const update = mul(matmul(left, right), lora.alpha / lora.rank);
    params.set(base.name, add(params.get(base.name) as Value, update));
    params.set(a.name, right).set(b.name, left);
  }
  return params;
}

/** Outputs: the chosen matrices with their updates added, by the model's names. */
export function mergedGraph(config: ModelConfig, lora: LoraOptions): Graph {
  const params = loraParameters(config, lora);
  const names = pairsOf(config, lora).map(({ base }) => base.name);
  return { outputs: Object.fromEntries(names.map((name) => [name, params.get(name) as Value])) };
}

/** Adds A, drawn from the seed, and B, zero, to a store. */
export async function initialiseLora(
  store: Store,
  config: ModelConfig,
  lora: LoraOptions,
  seed: number,
): Promise<void> {
  for (const [index, { a, b }] of pairsOf(config, lora).entries()) {
    for (const { name, shape } of [a, b]) store.define(name, { shape, dtype: "f32" });
    const data = new Float32Array(sizeOf(a.shape));
    if (a.init.kind === "normal") fillNormal(data, a.init.std, seed, FIRST_STREAM + index);
    await store.write(a.name, data);
  }
}

/** `adapter_config.json` as PEFT reads it. @param base name or folder of the frozen model */
export function renderAdapterConfig({ rank, alpha, targets }: LoraOptions, base: string): string {
  const config = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: base,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    target_modules: targets.map((target) => modules[target].split(".")[1]),
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
