/**
 * One number from a hidden state: the head of a reward model (read at one position of a row) and
 * of a value function (read at all of them). Beside a language model's parameters it is two more:
 * `score.weight` [1, C], under Hugging Face's name for sequence classification, and `score.bias`
 * [1]. A prefix keeps two heads apart, e.g. `value.score.weight`.
 */
import type { Store } from "../../compute/backend.ts";
import { state, type Value } from "../../compute/graph.ts";
import { sum } from "../../compute/ops/broadcast.ts";
import { add, mul } from "../../compute/ops/elementwise.ts";
import { embedding } from "../../compute/ops/embedding.ts";
import { reshape } from "../../compute/ops/reshape.ts";
import { fillNormal } from "../../compute/philox.ts";
import { sizeOf } from "../../compute/shape.ts";
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "./config.ts";
import { type ParameterSpec, parameterSpecs } from "./parameters.ts";

/** Philox stream of new heads, away from the parameters', data order and sampling. */
const STREAM = 0x73636f72;

/**
 * @param prefix stands before both names
 * @returns weight, N(0, 1 / (C + 1)), and bias, which starts at 0
 * @see Lambert et al. 2024 (RewardBench), for the initial spread
 */
export function scalarHeadSpecs({ nEmbd: C }: ModelConfig, prefix = ""): ParameterSpec[] {
  const normal = (std: number) => ({ kind: "normal", std }) as const;
  const std = 1 / Math.sqrt(C + 1);
  return [
    { name: `${prefix}score.weight`, shape: [1, C], role: "head", init: normal(std) },
    { name: `${prefix}score.bias`, shape: [1], role: "gain", init: normal(0) },
  ];
}

/** All of a reward model: a language model without its head, and the scalar head. */
export function rewardModelSpecs(config: ModelConfig): ParameterSpec[] {
  const below = parameterSpecs(config).filter(({ role }) => role !== "head");
  return [...below, ...scalarHeadSpecs(config)];
}

/** State leaves of the head, by name. */
export function scalarHeadParameters(config: ModelConfig, prefix = ""): Map<string, Value> {
  const specs = scalarHeadSpecs(config, prefix);
  return new Map(specs.map(({ name, shape }) => [name, state(name, shape)]));
}

/** Adds a new head to the store: a function of (config, seed, prefix) on every backend. */
export async function initialiseScalarHead(
  store: Store,
  config: ModelConfig,
  seed: number,
  prefix = "",
): Promise<void> {
  for (const { name, shape, init } of scalarHeadSpecs(config, prefix)) {
    const data = new Float32Array(sizeOf(shape));
    if (init.kind === "normal" && init.std > 0) fillNormal(data, init.std, seed, STREAM);
    store.define(name, { shape, dtype: "f32" });
    await store.write(name, data);
  }
}

/**
 * @param params holds the head's two leaves  @param hidden [N, C], any float
 * @returns f32 [N]: hidden · weight + bias, in f32
 * @throws SHAPE when a leaf is missing
 */
export function scalarHead(params: ReadonlyMap<string, Value>, hidden: Value, prefix = ""): Value {
  const leaf = (name: string): Value => {
    const value = params.get(`${prefix}score.${name}`);
    if (value !== undefined) return value;
    throw new NutshellError("SHAPE", `scalar head: needs ${prefix}score.${name}, got none.`);
  };
  return add(sum(mul(hidden, leaf("weight")), [1]), leaf("bias"));
}

/**
 * The head at chosen positions.
 * @param hidden [B·T, C]  @param positions i32 [R], rows of `hidden`: b · T + t
 * @returns f32 [R]
 */
export function scalarHeadAt(
  params: ReadonlyMap<string, Value>,
  hidden: Value,
  positions: Value,
  prefix = "",
): Value {
  const [R] = positions.shape as [number];
  const rows = embedding(hidden, positions);
  return scalarHead(params, reshape(rows, [R, hidden.shape[1] as number]), prefix);
}
