/**
 * A model as a GGUF file for llama.cpp: architecture "llama", or "qwen3" with QK-norm.
 *
 * Our RoPE turns dimension d with d + D/2, as Qwen3's does. llama.cpp's "llama" turns neighbours,
 * 2d with 2d + 1: the rows of q and k are put in that order, which changes no dot product.
 */
import { sizeOf } from "../../compute/shape.ts";
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "../model/config.ts";
import { type ParameterSpec, parameterSpecs } from "../model/parameters.ts";
import type { ExportModel } from "./export-model.node.ts";
import { ALIGNMENT, encodeGgufHeader, type GgufTensor, type GgufValue, padding } from "./gguf.ts";
import { ggufVocabulary } from "./gguf-vocabulary.ts";
import { formatBytes, type NumberFormat, numberFormats } from "./number-format.ts";

export interface GgufFile {
  /** Of the whole file. */
  readonly bytes: number;
  /** What encodes otherwise in llama.cpp, as one line; absent: nothing. */
  readonly differs: string | undefined;
  chunks(): AsyncGenerator<Uint8Array>;
}

/** llama.cpp's `general.file_type`: what most weights are stored as. */
const FILE_TYPE: Readonly<Record<NumberFormat, number>> = {
  f32: 0,
  f16: 1,
  q4_0: 2,
  q8_0: 7,
  bf16: 32,
};

/** Our name after `model.layers.N.` → llama.cpp's after `blk.N.`. */
const LAYER_NAMES: Readonly<Record<string, string>> = {
  "input_layernorm.weight": "attn_norm.weight",
  "self_attn.q_proj.weight": "attn_q.weight",
  "self_attn.k_proj.weight": "attn_k.weight",
  "self_attn.v_proj.weight": "attn_v.weight",
  "self_attn.q_norm.weight": "attn_q_norm.weight",
  "self_attn.k_norm.weight": "attn_k_norm.weight",
  "self_attn.o_proj.weight": "attn_output.weight",
  "post_attention_layernorm.weight": "ffn_norm.weight",
  "mlp.gate_proj.weight": "ffn_gate.weight",
  "mlp.up_proj.weight": "ffn_up.weight",
  "mlp.down_proj.weight": "ffn_down.weight",
};

const NAMES: Readonly<Record<string, string>> = {
  "model.embed_tokens.weight": "token_embd.weight",
  "model.norm.weight": "output_norm.weight",
  "lm_head.weight": "output.weight",
};

const IN_LAYER = /^model\.layers\.(\d+)\.(.+)$/;

function ggufName(name: string): string {
  const [, layer, rest = ""] = IN_LAYER.exec(name) ?? [];
  return layer === undefined ? (NAMES[name] as string) : `blk.${layer}.${LAYER_NAMES[rest]}`;
}

interface Plan extends GgufTensor {
  readonly spec: ParameterSpec;
}

/** @throws UNSUPPORTED for what llama.cpp's architectures do not compute */
export function ggufFile(model: ExportModel, format: NumberFormat, name: string): GgufFile {
  const { config } = model;
  checkWindow(model);
  const { metadata, differs } = ggufVocabulary(model);
  const plans = parameterSpecs(config).map((spec) => plan(spec, format));
  const header = encodeGgufHeader({ ...describe(config, format, name), ...metadata }, plans);
  const data = plans.reduce((sum, { bytes }) => sum + bytes + padding(bytes), 0);
  return {
    bytes: header.length + data,
    differs,
    async *chunks() {
      yield header;
      for (const { spec, format, bytes } of plans) {
        yield numberFormats[format].encode(inOrder(spec, await model.read(spec.name), config));
        if (padding(bytes) > 0) yield new Uint8Array(padding(bytes));
      }
    },
  };
}

function checkWindow({ folder, config }: ExportModel): void {
  const { window, sequenceLen } = config;
  if (window === undefined || window >= sequenceLen) return;
  throw new NutshellError(
    "UNSUPPORTED",
    `export: ${folder}: for GGUF attention must see the whole context of ${sequenceLen}, ` +
      `got a window of ${window}. llama.cpp would ignore it; export to onnx or c.`,
  );
}

/** Gains stay f32; a row that no block fits into is kept in half precision, as llama.cpp does. */
function plan(spec: ParameterSpec, wanted: NumberFormat): Plan {
  const { name, shape, role } = spec;
  const row = shape.at(-1) as number;
  const fits = row % numberFormats[wanted].block === 0;
  const format = role === "gain" ? "f32" : fits ? tableFormat(spec, wanted) : "f16";
  const bytes = formatBytes(format, sizeOf(shape));
  return { name: ggufName(name), shape, format, bytes, spec };
}

/** Four bits are too few for the table and the head, where every token's own row counts. */
function tableFormat({ role }: ParameterSpec, wanted: NumberFormat): NumberFormat {
  return wanted === "q4_0" && role !== "matrix" ? "q8_0" : wanted;
}

const isTurned = (name: string): boolean => /self_attn\.[qk]_proj\.weight$/.test(name);

function inOrder(spec: ParameterSpec, values: Float32Array, config: ModelConfig): Float32Array {
  if (config.qkNorm || !isTurned(spec.name)) return values;
  return interleaveRows(values, config.headDim, spec.shape[1] as number);
}

/**
 * Rows [heads · D, C] so that the pairs (d, d + D/2) of a head become neighbours.
 * @returns a new array
 */
export function interleaveRows(values: Float32Array, D: number, C: number): Float32Array {
  const out = new Float32Array(values.length);
  const half = D / 2;
  for (let row = 0; row * C < values.length; row++) {
    const d = row % D;
    const to = row - d + 2 * (d % half) + (d < half ? 0 : 1);
    out.set(values.subarray(row * C, (row + 1) * C), to * C);
  }
  return out;
}

function describe(
  config: ModelConfig,
  format: NumberFormat,
  name: string,
): Record<string, GgufValue> {
  const architecture = config.qkNorm ? "qwen3" : "llama";
  const sizes: Record<string, number> = {
    context_length: config.sequenceLen,
    embedding_length: config.nEmbd,
    block_count: config.nLayer,
    feed_forward_length: config.nFfn,
    "attention.head_count": config.nHead,
    "attention.head_count_kv": config.nKvHead,
    "attention.key_length": config.headDim,
    "attention.value_length": config.headDim,
    "rope.dimension_count": config.headDim,
    vocab_size: config.vocabSize,
  };
  const numbers = {
    "attention.layer_norm_rms_epsilon": config.normEps,
    "rope.freq_base": config.ropeBase,
  };
  const entries = [
    ...Object.entries(sizes).map(([key, value]) => [key, { type: "u32", value }]),
    ...Object.entries(numbers).map(([key, value]) => [key, { type: "f32", value }]),
  ].map(([key, value]) => [`${architecture}.${String(key)}`, value]);
  return {
    "general.architecture": { type: "string", value: architecture },
    "general.name": { type: "string", value: name },
    "general.alignment": { type: "u32", value: ALIGNMENT },
    "general.file_type": { type: "u32", value: FILE_TYPE[format] },
    "general.quantization_version": { type: "u32", value: 2 },
    ...(Object.fromEntries(entries) as Record<string, GgufValue>),
  };
}
