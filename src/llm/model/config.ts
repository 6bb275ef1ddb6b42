/**
 * The shape of a Llama-family transformer: RMSNorm, RoPE, grouped-query attention, SwiGLU; with
 * `qkNorm` it is Qwen3's. Everything else about a model (names, initial values, graphs, FLOPs)
 * follows from this record. Its file form is in `hugging-face-config.ts`.
 */
import { NutshellError } from "../../error.ts";

export interface ModelConfig {
  readonly vocabSize: number;
  /** Longest context, in tokens. */
  readonly sequenceLen: number;
  readonly nLayer: number;
  /** Query heads. */
  readonly nHead: number;
  /** Key/value heads; divides nHead. */
  readonly nKvHead: number;
  /** Channels of the residual stream. */
  readonly nEmbd: number;
  readonly headDim: number;
  /** Channels inside the MLP. */
  readonly nFfn: number;
  readonly ropeBase: number;
  readonly normEps: number;
  /** RMSNorm with gain on each head's query and key, before RoPE. */
  readonly qkNorm: boolean;
  /** The output head is the embedding table. */
  readonly tiedEmbeddings: boolean;
  /** Keys that a query sees, itself included; absent = all before it. */
  readonly window?: number;
}

interface Rule {
  readonly key: keyof ModelConfig;
  readonly rule: string;
  readonly holds: (value: number, config: ModelConfig) => boolean;
}

const whole = (key: keyof ModelConfig): Rule => ({
  key,
  rule: "must be a whole number, 1 or more",
  holds: (value) => Number.isSafeInteger(value) && value >= 1,
});

const rules: readonly Rule[] = [
  ...(["vocabSize", "sequenceLen", "nLayer", "nHead", "nKvHead"] as const).map(whole),
  ...(["nEmbd", "headDim", "nFfn"] as const).map(whole),
  { key: "nKvHead", rule: "must divide nHead", holds: (n, { nHead }) => nHead % n === 0 },
  { key: "headDim", rule: "must be even, since RoPE turns pairs", holds: (n) => n % 2 === 0 },
  { key: "ropeBase", rule: "must be a number above 1", holds: (n) => n > 1 && n < Infinity },
  { key: "normEps", rule: "must be between 0 and 1", holds: (n) => n >= 0 && n < 1 },
];

/**
 * @param where names the source in the error, e.g. a file
 * @returns the same config  @throws CONFIG naming the first key that breaks its rule
 */
export function checkModelConfig(config: ModelConfig, where = "model config"): ModelConfig {
  const windowRules = config.window === undefined ? [] : [whole("window")];
  for (const { key, rule, holds } of [...rules, ...windowRules]) {
    if (holds(config[key] as number, config)) continue;
    const context = key === "nKvHead" ? ` with nHead ${config.nHead}` : "";
    throw new NutshellError("CONFIG", `${where}: ${key} ${rule}, got ${config[key]}${context}.`);
  }
  return config;
}
