/**
 * `config.json` as Hugging Face writes it, to and from ModelConfig. Three architectures have our
 * shape: Llama, Mistral (a Llama with a window) and Qwen3 (with QK-norm), each with a language
 * model's head or with a scalar one. What our graphs do not compute is refused rather than ignored:
 * a model that loads computes what its authors meant.
 */
import { NutshellError } from "../../error.ts";
import { checkModelConfig, type ModelConfig } from "./config.ts";

export type JsonObject = { readonly [key: string]: unknown };

interface Architecture {
  readonly modelType: string;
  readonly qkNorm: boolean;
  /** What the library assumes when the key is absent. */
  readonly headDim?: number;
  readonly window: (json: JsonObject) => unknown;
}

const tasks = ["CausalLM", "SequenceClassification"] as const;

/** What the head is for; the second half of an architecture's name. */
export type HeadTask = (typeof tasks)[number];

/** By the first half of the name: LlamaForCausalLM, LlamaForSequenceClassification, … */
const architectures: Readonly<Record<string, Architecture>> = {
  Llama: { modelType: "llama", qkNorm: false, window: () => undefined },
  Mistral: {
    modelType: "mistral",
    qkNorm: false,
    window: (json) => json.sliding_window ?? undefined,
  },
  Qwen3: {
    modelType: "qwen3",
    qkNorm: true,
    headDim: 128,
    window: (json) => (json.use_sliding_window === true ? json.sliding_window : undefined),
  },
};

/** Of weights as quantized-tensor.ts keeps them. */
export const QUANT_METHOD = "nutshell-q8_0";

/** Keys that change the mathematics, each with the values that leave ours intact. */
const neutral: Readonly<Record<string, (value: unknown, json: JsonObject) => boolean>> = {
  hidden_act: (value) => value === "silu" || value === "swish",
  attention_bias: (value) => value === false,
  mlp_bias: (value) => value === false,
  rope_scaling: isPlainRope,
  rope_parameters: isPlainRope,
  partial_rotary_factor: (value) => value === 1,
  quantization_config: (value) => (value as JsonObject).quant_method === QUANT_METHOD,
  layer_types: (value) => Array.isArray(value) && new Set(value).size === 1,
  max_window_layers: (value, json) => json.use_sliding_window !== true || value === 0,
};

function isPlainRope(value: unknown): boolean {
  const rope = value as { rope_type?: unknown; type?: unknown };
  return typeof value === "object" && (rope.rope_type ?? rope.type ?? "default") === "default";
}

/** @returns the JSON object of `config.json`; f32 weights, no dropout. */
export function toHfConfig(config: ModelConfig, task: HeadTask = "CausalLM"): JsonObject {
  const name = architectureOf(config);
  const oneLabel = task === "CausalLM" ? {} : { id2label: { 0: "reward" } };
  const sliding = config.window === undefined ? {} : { sliding_window: config.window };
  const qwenSliding = { use_sliding_window: true, max_window_layers: 0, ...sliding };
  return {
    architectures: [`${name}For${task}`],
    model_type: architectures[name]?.modelType,
    vocab_size: config.vocabSize,
    max_position_embeddings: config.sequenceLen,
    num_hidden_layers: config.nLayer,
    num_attention_heads: config.nHead,
    num_key_value_heads: config.nKvHead,
    hidden_size: config.nEmbd,
    head_dim: config.headDim,
    intermediate_size: config.nFfn,
    rope_theta: config.ropeBase,
    rms_norm_eps: config.normEps,
    tie_word_embeddings: config.tiedEmbeddings,
    hidden_act: "silu",
    attention_bias: false,
    mlp_bias: false,
    ...(config.qkNorm && config.window !== undefined ? qwenSliding : sliding),
    ...oneLabel,
    torch_dtype: "float32",
    bos_token_id: null,
    eos_token_id: null,
  };
}

function architectureOf(config: ModelConfig): string {
  if (config.qkNorm) return "Qwen3";
  return config.window === undefined ? "Llama" : "Mistral";
}

/**
 * @param json the parsed `config.json`  @param where its path, for errors
 * @throws CONFIG for another architecture, a missing size or a feature that we do not compute
 */
export function fromHfConfig(json: JsonObject, where = "config.json"): ModelConfig {
  const architecture = findArchitecture(json, where);
  for (const [key, isNeutral] of Object.entries(neutral)) {
    const value = json[key] ?? undefined;
    if (value !== undefined && !isNeutral(value, json))
      throw new NutshellError(
        "CONFIG",
        `${where}: ${key} must leave the plain Llama form, got ${JSON.stringify(value)}. ` +
          "This feature is not supported; choose a model without it.",
      );
  }
  const read = (key: string, otherwise?: unknown): number =>
    readNumber(json, key, otherwise, where);
  const window = architecture.window(json);
  const [nEmbd, nHead] = [read("hidden_size"), read("num_attention_heads")];
  const config: ModelConfig = {
    vocabSize: read("vocab_size"),
    sequenceLen: read("max_position_embeddings"),
    nLayer: read("num_hidden_layers"),
    nHead,
    nKvHead: read("num_key_value_heads", nHead),
    nEmbd,
    headDim: read("head_dim", architecture.headDim ?? nEmbd / nHead),
    nFfn: read("intermediate_size"),
    ropeBase: read("rope_theta", ropeThetaOf(json)),
    normEps: read("rms_norm_eps", 1e-6),
    qkNorm: architecture.qkNorm,
    tiedEmbeddings: json.tie_word_embeddings === true,
    ...(window === undefined ? {} : { window: window as number }),
  };
  return checkModelConfig(config, where);
}

const TASK = new RegExp(`^(.+)For(?:${tasks.join("|")})$`);

function findArchitecture(json: JsonObject, where: string): Architecture {
  const list: unknown = json.architectures;
  const name: unknown = Array.isArray(list) ? list[0] : undefined;
  const family = typeof name === "string" ? TASK.exec(name)?.[1] : undefined;
  if (family !== undefined && Object.hasOwn(architectures, family))
    return architectures[family] as Architecture;
  const known = Object.keys(architectures)
    .flatMap((one) => tasks.map((task) => `${one}For${task}`))
    .join(", ");
  throw new NutshellError(
    "CONFIG",
    `${where}: architectures must name one of ${known}, got ${JSON.stringify(list) ?? "none"}.`,
  );
}

/** Newer files keep the RoPE base in an object of its own. */
function ropeThetaOf(json: JsonObject): unknown {
  return (json.rope_parameters as JsonObject | undefined)?.rope_theta ?? 10000;
}

function readNumber(json: JsonObject, key: string, otherwise: unknown, where: string): number {
  const value = json[key] ?? otherwise;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  const got = value === undefined ? "none" : JSON.stringify(value);
  throw new NutshellError("CONFIG", `${where}: ${key} must be a number, got ${got}.`);
}
