/**
 * The two graphs of inference. Prefill takes a chunk of the prompt and gives the logits of one of
 * its rows; decode takes one token. Both write their keys and values into the same cache, the
 * states `cache.N.k` and `cache.N.v` of the store.
 *
 * A chunk has a fixed length; the last one of a prompt is padded. Padding is harmless: it lies
 * behind the prompt, where causal attention never looks, and each of its cache rows is written
 * again by the token that comes to stand there before any query may see it.
 */
import type { Backend, Program, Store } from "../../compute/backend.ts";
import { type Graph, input, state, type Value } from "../../compute/graph.ts";
import { cast } from "../../compute/ops/elementwise.ts";
import { embedding } from "../../compute/ops/embedding.ts";
import type { ModelConfig } from "../model/config.ts";
import { parameterSpecs } from "../model/parameters.ts";
import {
  hiddenStates,
  kvCache,
  logits,
  modelParameters,
  type Precision,
  type StateUpdate,
} from "../model/transformer.ts";

export interface InferenceShape {
  readonly config: ModelConfig;
  readonly precision: Precision;
  /** Rows of the cache; a multiple of `chunk`, so that a padded chunk always fits. */
  readonly capacity: number;
  /** Tokens of one prefill run. */
  readonly chunk: number;
}

export interface InferencePrograms {
  /** Takes over the store's parameters as they are now; before the first prefill of a text. */
  begin(): Promise<void>;
  /**
   * @param ids i32 [chunk]  @param first position of ids[0]  @param last row in [0, chunk)
   * @returns f32 [V], what follows ids[last]
   */
  prefill(ids: Int32Array, first: number, last: number): Promise<Float32Array>;
  /** @param position of `id`  @returns f32 [V], what follows it */
  decode(id: number, position: number): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/**
 * What a product reads in bf16 anyway is kept in bf16: half the bytes of each decoded token, the
 * same bits in its logits.
 */
function narrowWeights(config: ModelConfig, precision: Precision): Map<string, StateUpdate> {
  const specs = precision === "bf16" ? parameterSpecs(config) : [];
  const products = specs.filter(({ role }) => role === "matrix" || role === "head");
  return new Map(
    products.map(({ name, shape }) => {
      const narrow = state(`inference.${name}`, shape, "bf16");
      return [name, { state: narrow, value: cast(state(name, shape), "bf16") }];
    }),
  );
}

/** The parameters as inference reads them. */
export function inferenceParameters(config: ModelConfig, precision: Precision): Map<string, Value> {
  const params = modelParameters(config);
  for (const [name, { state }] of narrowWeights(config, precision)) params.set(name, state);
  return params;
}

/** @returns the program that narrows all weights, or undefined in f32, which reads them in place */
export async function compileNarrow(
  backend: Backend,
  store: Store,
  config: ModelConfig,
  precision: Precision,
): Promise<Program | undefined> {
  const updates = [...narrowWeights(config, precision).values()];
  return updates.length === 0 ? undefined : backend.compile({ outputs: {}, updates }, store);
}

/** @param pick takes the rows [N, C] that need logits out of the hidden states [T, C] */
function forward(shape: InferenceShape, T: number, pick: (hidden: Value) => Value): Graph {
  const { config, precision, capacity } = shape;
  const params = inferenceParameters(config, precision);
  const cache = kvCache(config, 1, capacity, precision);
  const ids = input("ids", [1, T], "i32");
  const { hidden, cacheUpdates } = hiddenStates(config, params, ids, { precision, cache });
  const outputs = { logits: logits(config, params, pick(hidden), precision) };
  return { outputs, updates: cacheUpdates };
}

/** Row `last` of hidden [T, C], by lookup; f32 holds what bf16 held. */
function lastRow(hidden: Value): Value {
  return embedding(cast(hidden, "f32"), input("last", [1], "i32"));
}

/**
 * Allocates the cache at once; compiles when first needed, once.
 * @throws SHAPE when the store holds a cache of another capacity or precision
 */
export function createPrograms(
  backend: Backend,
  store: Store,
  shape: InferenceShape,
): InferencePrograms {
  defineCache(store, shape);
  let compiled: Promise<Compiled> | undefined;
  const open = (): Promise<Compiled> => (compiled ??= compile(backend, store, shape));
  const [id, first, last] = [new Int32Array(1), new Int32Array(1), new Int32Array(1)];
  return {
    async begin() {
      const { narrow } = await open();
      await narrow?.run();
    },
    async prefill(ids, position, row) {
      const { prefill } = await open();
      first[0] = position;
      last[0] = row;
      return (await prefill.run({ ids, first, last })).logits as Float32Array;
    },
    async decode(token, position) {
      const { decode } = await open();
      id[0] = token;
      first[0] = position;
      return (await decode.run({ ids: id, first })).logits as Float32Array;
    },
    async dispose() {
      for (const program of Object.values((await compiled) ?? {})) program?.dispose();
    },
  };
}

interface Compiled {
  readonly prefill: Program;
  readonly decode: Program;
  /** Absent in f32, which reads the parameters where they are. */
  readonly narrow: Program | undefined;
}

async function compile(backend: Backend, store: Store, shape: InferenceShape): Promise<Compiled> {
  const [prefill, decode, narrow] = await Promise.all([
    backend.compile(forward(shape, shape.chunk, lastRow), store),
    backend.compile(
      forward(shape, 1, (hidden) => hidden),
      store,
    ),
    compileNarrow(backend, store, shape.config, shape.precision),
  ]);
  return { prefill, decode, narrow };
}

function defineCache(store: Store, { config, precision, capacity }: InferenceShape): void {
  const { layers } = kvCache(config, 1, capacity, precision);
  for (const { node, shape, dtype } of layers.flatMap(({ k, v }) => [k, v]))
    store.define(node.attrs.name, { shape, dtype });
}
