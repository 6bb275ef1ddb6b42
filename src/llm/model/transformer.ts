/**
 * The transformer as pure graph functions: ids in, hidden states, losses or logits out. B batch,
 * T time, N = B·T rows, C channels, H and K query and key heads, D head dim, S cache length.
 *
 * In "bf16" precision the residual stream, norms' sums and all accumulations stay f32; what lies
 * between two matrix products is stored bf16. Each product's neighbours are elementwise, so that a
 * compiler can fuse them into its epilogue.
 */
import type { Backend } from "../../compute/backend.ts";
import { input, state, type Value } from "../../compute/graph.ts";
import { attention } from "../../compute/ops/attention.ts";
import { sum } from "../../compute/ops/broadcast.ts";
import { add, cast, less, swiglu } from "../../compute/ops/elementwise.ts";
import { embedding } from "../../compute/ops/embedding.ts";
import { linearCrossEntropy } from "../../compute/ops/linear-cross-entropy.ts";
import { linear } from "../../compute/ops/matmul.ts";
import { reshape } from "../../compute/ops/reshape.ts";
import { rmsNorm } from "../../compute/ops/rms-norm.ts";
import { rope } from "../../compute/ops/rope.ts";
import { writeRows } from "../../compute/ops/write-rows.ts";
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "./config.ts";
import { parameterSpecs } from "./parameters.ts";

export type Precision = "f32" | "bf16";

/** What "auto" means: bf16 where the backend has instructions that multiply it. */
export function bestPrecision({ description }: Pick<Backend, "description">): Precision {
  return description.includes("bf16") ? "bf16" : "f32";
}

export type Parameters = ReadonlyMap<string, Value>;
export type StateUpdate = { readonly state: Value; readonly value: Value };

/** Keys and values of the tokens before these, one pair [B, S, K, D] or [P, G, K, D] a layer. */
export interface KvCache {
  readonly layers: readonly { readonly k: Value; readonly v: Value }[];
  /** i32 scalar, or [B]: the position of the first new token; what reaches beyond S is dropped. */
  readonly first: Value;
  /**
   * i32 [B, M]: the cache is P pages of G tokens, and these hold each text, in order; S = M·G. Only
   * pages that are not written to may be in several texts. Absent: a row of the cache for each.
   */
  readonly pages?: Value;
}

export interface ForwardOptions {
  readonly precision: Precision;
  readonly cache?: KvCache;
}

/** One state leaf per parameter, in the order of `parameterSpecs`. */
export function modelParameters(config: ModelConfig): Map<string, Value> {
  return new Map(parameterSpecs(config).map(({ name, shape }) => [name, state(name, shape)]));
}

/**
 * State leaves `cache.N.k` and `cache.N.v`, and an input `first`.
 * @param S capacity in tokens  @param name in place of `cache`
 */
export function kvCache(
  config: ModelConfig,
  B: number,
  S: number,
  precision: Precision,
  name: string = "cache",
): KvCache {
  return { layers: cacheLayers(config, B, S, precision, name), first: input("first", [], "i32") };
}

/**
 * The same in pages, with inputs `first` [B] and `pages` [B, M].
 * @param P pages @param G tokens of each: a multiple of 16 where M > 1
 * @param M pages of the longest text @param B texts in one run
 */
export function pagedCache(
  config: ModelConfig,
  P: number,
  G: number,
  M: number,
  B: number,
  precision: Precision,
  name: string = "cache",
): KvCache {
  const layers = cacheLayers(config, P, G, precision, name);
  return { layers, first: input("first", [B], "i32"), pages: input("pages", [B, M], "i32") };
}

function cacheLayers(
  { nLayer, nKvHead, headDim }: ModelConfig,
  rows: number,
  tokens: number,
  precision: Precision,
  name: string,
): KvCache["layers"] {
  const shape = [rows, tokens, nKvHead, headDim];
  return Array.from({ length: nLayer }, (_, layer) => ({
    k: state(`${name}.${layer}.k`, shape, precision),
    v: state(`${name}.${layer}.v`, shape, precision),
  }));
}

interface Layer {
  readonly config: ModelConfig;
  readonly options: ForwardOptions;
  readonly index: number;
  /** The layer's own parameter, by its name after `model.layers.N.`. */
  readonly weight: (name: string) => Value;
}

function parameter(params: Parameters, name: string): Value {
  const value = params.get(name);
  if (value !== undefined) return value;
  throw new NutshellError("SHAPE", `model: every parameter must be given, got no "${name}".`);
}

/** Queries, keys or values as heads: [N, C] → [B, T, heads, D]. */
function heads(layer: Layer, x: Value, which: "q" | "k" | "v", B: number): Value {
  const { config, options, weight } = layer;
  const y = linear(x, weight(`self_attn.${which}_proj.weight`), options.precision);
  const count = which === "q" ? config.nHead : config.nKvHead;
  const split = reshape(y, [B, (x.shape[0] as number) / B, count, config.headDim]);
  if (which === "v") return split;
  const normed = config.qkNorm
    ? rmsNorm(split, weight(`self_attn.${which}_norm.weight`), config.normEps, options.precision)
    : split;
  return rope(normed, config.ropeBase, options.cache?.first);
}

/** Attention of one block over normed x [N, C] → [N, C] f32, and the cache with the new rows. */
function attend(layer: Layer, x: Value, B: number): { y: Value; updates: StateUpdate[] } {
  const { config, options, weight } = layer;
  const q = heads(layer, x, "q", B);
  let k = heads(layer, x, "k", B);
  let v = heads(layer, x, "v", B);
  const updates: StateUpdate[] = [];
  const cached = options.cache?.layers[layer.index];
  const { first, pages } = options.cache ?? {};
  if (cached !== undefined && first !== undefined) {
    k = writeRows(cached.k, k, first, pages);
    v = writeRows(cached.v, v, first, pages);
    updates.push({ state: cached.k, value: k }, { state: cached.v, value: v });
  }
  const o = attention(q, k, v, {
    ...(config.window === undefined ? {} : { window: config.window }),
    ...(first === undefined ? {} : { first }),
    ...(pages === undefined ? {} : { pages }),
  });
  const flat = reshape(o, [x.shape[0] as number, config.nHead * config.headDim]);
  return { y: linear(flat, weight("self_attn.o_proj.weight"), options.precision, "f32"), updates };
}

function mlp({ options: { precision }, weight }: Layer, x: Value): Value {
  const gate = linear(x, weight("mlp.gate_proj.weight"), precision);
  const up = linear(x, weight("mlp.up_proj.weight"), precision);
  const inner = cast(swiglu(gate, up), precision);
  return linear(inner, weight("mlp.down_proj.weight"), precision, "f32");
}

/**
 * The whole network below the head.
 * @param ids i32 [B, T]
 * @returns `hidden` [B·T, C] after the last norm, stored in `precision`; `cacheUpdates` for the
 *   graph's updates, empty without a cache
 * @throws SHAPE when a parameter is missing or does not fit
 * @see Touvron et al. 2023 (LLaMA); Yang et al. 2025 (Qwen3, for QK-norm)
 */
export function hiddenStates(
  config: ModelConfig,
  params: Parameters,
  ids: Value,
  options: ForwardOptions,
): { hidden: Value; cacheUpdates: StateUpdate[] } {
  const [B, T] = ids.shape as [number, number];
  const table = parameter(params, "model.embed_tokens.weight");
  const cacheUpdates: StateUpdate[] = [];
  let x = embedding(table, reshape(ids, [B * T]));
  for (let index = 0; index < config.nLayer; index++) {
    const weight = (name: string): Value => parameter(params, `model.layers.${index}.${name}`);
    const norm = (name: string): Value =>
      rmsNorm(x, weight(`${name}.weight`), config.normEps, options.precision);
    const layer: Layer = { config, options, index, weight };
    const { y, updates } = attend(layer, norm("input_layernorm"), B);
    cacheUpdates.push(...updates);
    x = add(x, y);
    x = add(x, mlp(layer, norm("post_attention_layernorm")));
  }
  const last = parameter(params, "model.norm.weight");
  return { hidden: rmsNorm(x, last, config.normEps, options.precision), cacheUpdates };
}

function headWeight(config: ModelConfig, params: Parameters): Value {
  return parameter(params, config.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight");
}

/** @param hidden [N, C]  @returns f32 [N, V] */
export function logits(
  config: ModelConfig,
  params: Parameters,
  hidden: Value,
  precision: Precision,
): Value {
  return linear(hidden, headWeight(config, params), precision, "f32");
}

/** @param targets i32 [B, T], negative = ignored  @returns nll f32 [B·T] in nats, 0 if ignored */
export function tokenLosses(
  config: ModelConfig,
  params: Parameters,
  ids: Value,
  targets: Value,
  options: ForwardOptions,
): Value {
  const { hidden } = hiddenStates(config, params, ids, options);
  const flat = reshape(targets, [hidden.shape[0] as number]);
  return linearCrossEntropy(hidden, headWeight(config, params), flat, options.precision);
}

/** The sum of the losses in nats and the number of targets it is over, both f32 scalars. */
export function lossSum(
  config: ModelConfig,
  params: Parameters,
  ids: Value,
  targets: Value,
  precision: Precision,
): { sum: Value; count: Value } {
  const nll = tokenLosses(config, params, ids, targets, { precision });
  return { sum: sum(nll), count: sum(less(-1, targets)) };
}
