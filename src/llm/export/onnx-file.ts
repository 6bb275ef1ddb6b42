/**
 * A model as one ONNX graph of standard operators (opset 17).
 *
 *     input_ids i64 [B, T] → logits f32 [B, T, V]
 *
 * With `cache`, also `past_key_values.N.key|value` [B, K, P, D] in, P = 0 at first, and
 * `present.N.key|value` [B, K, P + T, D] out, under the names that Hugging Face's tools use.
 *
 * It is computed in f32; narrower weights are widened by a Cast. Rotary angles come from a table
 * of the whole context made in double precision.
 */
import { sizeOf } from "../../compute/shape.ts";
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "../model/config.ts";
import { type ParameterSpec, parameterSpecs } from "../model/parameters.ts";
import type { ExportModel } from "./export-model.node.ts";
import { formatBytes, numberFormats } from "./number-format.ts";
import {
  type Attributes,
  type DataType,
  type Initializer,
  modelProto,
  node,
  type OnnxGraph,
  type Port,
} from "./onnx.ts";
import { type Message, messageChunks, messageLength } from "./protobuf.ts";

const OPSET = 17;
/** Protocol Buffers' own limit for a message. */
const MOST_BYTES = 2 ** 31 - 1;

export type OnnxFormat = "f32" | "f16" | "bf16";

const TYPES: Readonly<Record<OnnxFormat, DataType>> = {
  f32: "float",
  f16: "float16",
  bf16: "bfloat16",
};

export interface OnnxOptions {
  readonly format: OnnxFormat;
  readonly cache: boolean;
}

export interface OnnxFile {
  /** Of the whole file. */
  readonly bytes: number;
  chunks(): AsyncGenerator<Uint8Array>;
}

/** @throws UNSUPPORTED for a model that does not fit into one file of 2 GB */
export function onnxFile(model: ExportModel, options: OnnxOptions): OnnxFile {
  const message = modelProto(buildGraph(model, options), OPSET, { source: "nutshell" });
  const bytes = messageLength(message);
  if (bytes > MOST_BYTES)
    throw new NutshellError(
      "UNSUPPORTED",
      `export: ${model.folder}: an ONNX file must be smaller than 2 GB, got ${bytes} bytes. ` +
        "Export with --type f16, or to safetensors.",
    );
  return { bytes, chunks: () => messageChunks(message) };
}

/** Nodes and constants as they come; every method returns the name of its result. */
class GraphBuilder {
  readonly nodes: Message[] = [];
  readonly initializers: Initializer[] = [];
  #count = 0;

  apply(operator: string, inputs: readonly string[], attributes: Attributes = {}): string {
    const name = `${operator.toLowerCase()}_${this.#count++}`;
    this.nodes.push(node(operator, inputs, [name], attributes));
    return name;
  }

  /** The same under a name of its own, for outputs. */
  named(
    name: string,
    operator: string,
    inputs: readonly string[],
    attributes: Attributes = {},
  ): string {
    this.nodes.push(node(operator, inputs, [name], attributes));
    return name;
  }

  split(input: string, axis: number): [string, string] {
    const names: [string, string] = [`low_${this.#count}`, `high_${this.#count++}`];
    this.nodes.push(node("Split", [input], names, { axis }));
    return names;
  }

  floats(name: string, shape: readonly number[], values: Float32Array): string {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.initializers.push({ name, type: "float", shape, bytes });
    return name;
  }

  scalar(value: number): string {
    return this.floats(`scalar_${this.#count++}`, [], Float32Array.of(value));
  }

  /** i64 [values], or a scalar. */
  integers(values: readonly number[] | number): string {
    const list = typeof values === "number" ? [values] : values;
    const name = `integers_${this.#count++}`;
    const bytes = new Uint8Array(BigInt64Array.from(list, BigInt).buffer);
    const shape = typeof values === "number" ? [] : [list.length];
    this.initializers.push({ name, type: "int64", shape, bytes });
    return name;
  }
}

interface Builder {
  readonly graph: GraphBuilder;
  readonly config: ModelConfig;
  /** A parameter as f32. */
  readonly weight: (name: string) => string;
  readonly cache: boolean;
}

function buildGraph(model: ExportModel, { format, cache }: OnnxOptions): OnnxGraph {
  const { config } = model;
  const graph = new GraphBuilder();
  const weights = new Map<string, string>();
  for (const spec of parameterSpecs(config))
    weights.set(spec.name, addWeight(graph, model, spec, format));
  const weight = (name: string): string => weights.get(name) as string;
  const b: Builder = { graph, config, weight, cache };
  const places = addPlaces(b);
  let x = graph.apply("Gather", [weight("model.embed_tokens.weight"), "input_ids"]);
  for (let layer = 0; layer < config.nLayer; layer++) x = addBlock(b, x, layer, places);
  const last = addNorm(b, x, "model.norm.weight");
  const table = config.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight";
  graph.named("logits", "MatMul", [last, transposed(b, table)]);
  return { ...graph, ...ports(config, cache) };
}

function addWeight(
  graph: GraphBuilder,
  model: ExportModel,
  { name, shape, role }: ParameterSpec,
  wanted: OnnxFormat,
): string {
  const format = role === "gain" ? "f32" : wanted;
  const length = formatBytes(format, sizeOf(shape));
  const load = async (): Promise<Uint8Array> =>
    numberFormats[format].encode(await model.read(name));
  graph.initializers.push({ name, type: TYPES[format], shape, bytes: { length, load } });
  return format === "f32" ? name : graph.apply("Cast", [name], { to: 1 });
}

/** [out, in] as [in, out]: computed once, when a session opens. */
function transposed({ graph, weight }: Builder, name: string): string {
  return graph.apply("Transpose", [weight(name)], { perm: [1, 0] });
}

function linear(b: Builder, x: string, name: string): string {
  return b.graph.apply("MatMul", [x, transposed(b, name)]);
}

/** x / sqrt(mean(x²) + eps) · gain over the last axis. */
function addNorm({ graph, config, weight }: Builder, x: string, gain: string): string {
  const square = graph.apply("Mul", [x, x]);
  const mean = graph.apply("ReduceMean", [square], { axes: [-1], keepdims: 1 });
  const size = graph.apply("Sqrt", [graph.apply("Add", [mean, graph.scalar(config.normEps)])]);
  return graph.apply("Mul", [graph.apply("Div", [x, size]), weight(gain)]);
}

/** What all layers share. */
interface Places {
  /** [1, 1, T, D/2] */
  readonly cosine: string;
  readonly sine: string;
  /** f32 [T, P + T]: 0 where a query sees a key, else as good as minus infinity. */
  readonly mask: string;
}

function addPlaces(b: Builder): Places {
  const { graph, config, cache } = b;
  const [zero, one] = [graph.integers(0), graph.integers(1)];
  const sizeAt = (name: string, axis: number): string =>
    graph.apply("Gather", [graph.apply("Shape", [name]), graph.integers(axis)]);
  const T = sizeAt("input_ids", 1);
  const first = cache ? sizeAt("past_key_values.0.key", 2) : zero;
  const end = graph.apply("Add", [first, T]);
  const queries = graph.apply("Range", [first, end, one]);
  const keys = graph.apply("Range", [zero, end, one]);
  const table = rotaryTable(config);
  const shape = [config.sequenceLen, config.headDim / 2];
  const turn = (name: string, values: Float32Array): string =>
    graph.apply("Gather", [graph.floats(name, shape, values), queries]);
  return {
    cosine: turn("rotary_cosine", table.cosine),
    sine: turn("rotary_sine", table.sine),
    mask: addMask(b, queries, keys),
  };
}

/** A query sees keys up to its own position, and of those the last `window`. */
function addMask({ graph, config }: Builder, queries: string, keys: string): string {
  const column = graph.apply("Unsqueeze", [queries, graph.integers([1])]);
  const age = graph.apply("Sub", [column, keys]);
  let hidden = graph.apply("Less", [age, graph.integers(0)]);
  if (config.window !== undefined) {
    const old = graph.apply("GreaterOrEqual", [age, graph.integers(config.window)]);
    hidden = graph.apply("Or", [hidden, old]);
  }
  return graph.apply("Where", [hidden, graph.scalar(-3e38), graph.scalar(0)]);
}

function rotaryTable({ sequenceLen, headDim, ropeBase }: ModelConfig): {
  cosine: Float32Array;
  sine: Float32Array;
} {
  const half = headDim / 2;
  const cosine = new Float32Array(sequenceLen * half);
  const sine = new Float32Array(sequenceLen * half);
  for (let i = 0; i < cosine.length; i++) {
    const angle = Math.floor(i / half) * ropeBase ** (-(i % half) / half);
    cosine[i] = Math.cos(angle);
    sine[i] = Math.sin(angle);
  }
  return { cosine, sine };
}

/** [B, T, heads · D] → [B, heads, T, D], queries and keys normed and turned. */
function addHeads(
  b: Builder,
  x: string,
  layer: string,
  which: "q" | "k" | "v",
  places: Places,
): string {
  const { graph, config } = b;
  const count = which === "q" ? config.nHead : config.nKvHead;
  const flat = linear(b, x, `${layer}.self_attn.${which}_proj.weight`);
  const shape = graph.integers([0, 0, count, config.headDim]);
  let heads = graph.apply("Reshape", [flat, shape]);
  if (which !== "v" && config.qkNorm)
    heads = addNorm(b, heads, `${layer}.self_attn.${which}_norm.weight`);
  const turned = graph.apply("Transpose", [heads], { perm: [0, 2, 1, 3] });
  return which === "v" ? turned : rotate(graph, turned, places);
}

/** Dimension d turns with d + D/2. */
function rotate(graph: GraphBuilder, x: string, { cosine, sine }: Places): string {
  const [u, v] = graph.split(x, 3);
  const mul = (left: string, right: string): string => graph.apply("Mul", [left, right]);
  const low = graph.apply("Sub", [mul(u, cosine), mul(v, sine)]);
  const high = graph.apply("Add", [mul(v, cosine), mul(u, sine)]);
  return graph.apply("Concat", [low, high], { axis: 3 });
}

/** Keys or values with those of the past before them. */
function withPast(
  { graph, cache }: Builder,
  x: string,
  layer: number,
  which: "key" | "value",
): string {
  if (!cache) return x;
  const past = `past_key_values.${layer}.${which}`;
  return graph.named(`present.${layer}.${which}`, "Concat", [past, x], { axis: 2 });
}

/** [B, K, S, D] → [B, H, S, D]: each head of keys and values serves H / K queries. */
function repeatHeads({ graph, config }: Builder, x: string): string {
  const { nHead, nKvHead } = config;
  if (nHead === nKvHead) return x;
  const index = Array.from({ length: nHead }, (_, h) => Math.floor((h * nKvHead) / nHead));
  return graph.apply("Gather", [x, graph.integers(index)], { axis: 1 });
}

function addAttention(b: Builder, x: string, index: number, places: Places): string {
  const { graph, config } = b;
  const layer = `model.layers.${index}`;
  const q = addHeads(b, x, layer, "q", places);
  const k = withPast(b, addHeads(b, x, layer, "k", places), index, "key");
  const v = withPast(b, addHeads(b, x, layer, "v", places), index, "value");
  const columns = graph.apply("Transpose", [repeatHeads(b, k)], { perm: [0, 1, 3, 2] });
  const scale = graph.scalar(1 / Math.sqrt(config.headDim));
  const scores = graph.apply("Mul", [graph.apply("MatMul", [q, columns]), scale]);
  const seen = graph.apply("Add", [scores, places.mask]);
  const weights = graph.apply("Softmax", [seen], { axis: -1 });
  const mixed = graph.apply("MatMul", [weights, repeatHeads(b, v)]);
  const back = graph.apply("Transpose", [mixed], { perm: [0, 2, 1, 3] });
  const flat = graph.apply("Reshape", [
    back,
    graph.integers([0, 0, config.nHead * config.headDim]),
  ]);
  return linear(b, flat, `${layer}.self_attn.o_proj.weight`);
}

function addBlock(b: Builder, x: string, index: number, places: Places): string {
  const { graph } = b;
  const layer = `model.layers.${index}`;
  const attended = addAttention(b, addNorm(b, x, `${layer}.input_layernorm.weight`), index, places);
  const middle = graph.apply("Add", [x, attended]);
  const normed = addNorm(b, middle, `${layer}.post_attention_layernorm.weight`);
  const gate = linear(b, normed, `${layer}.mlp.gate_proj.weight`);
  const up = linear(b, normed, `${layer}.mlp.up_proj.weight`);
  const swish = graph.apply("Mul", [gate, graph.apply("Sigmoid", [gate])]);
  const inner = graph.apply("Mul", [swish, up]);
  return graph.apply("Add", [middle, linear(b, inner, `${layer}.mlp.down_proj.weight`)]);
}

function ports(config: ModelConfig, cache: boolean): { inputs: Port[]; outputs: Port[] } {
  const ids: Port = { name: "input_ids", type: "int64", shape: ["batch", "time"] };
  const logits: Port = {
    name: "logits",
    type: "float",
    shape: ["batch", "time", config.vocabSize],
  };
  const sides = Array.from({ length: cache ? config.nLayer : 0 }, (_, layer) => layer).flatMap(
    (layer) => [`${layer}.key`, `${layer}.value`],
  );
  const side = (name: string, time: string): Port => ({
    name,
    type: "float",
    shape: ["batch", config.nKvHead, time, config.headDim],
  });
  return {
    inputs: [ids, ...sides.map((name) => side(`past_key_values.${name}`, "past"))],
    outputs: [logits, ...sides.map((name) => side(`present.${name}`, "past + time"))],
  };
}
