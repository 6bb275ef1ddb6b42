/**
 * The one dial: from `depth` follow width, heads, tokens, batch, learning rates and decay. Each
 * rule is one line with its source, kept beside its value so that commands can print both.
 *
 * N below counts block matrices and output head, as the tokens-per-parameter ratio does. Rates are
 * relative to a reference batch of 2^19 tokens and to the depth-12 model of the same vocabulary.
 */
import { NutshellError } from "../../error.ts";
import { checkModelConfig, type ModelConfig } from "./config.ts";
import {
  countParameters,
  type FlopsPerToken,
  flopsPerToken,
  type ParameterCounts,
} from "./size.ts";

export interface DepthOptions {
  readonly vocabSize: number;
  readonly sequenceLen: number;
  readonly optimizer: "adamw" | "muon";
  readonly tiedEmbeddings?: boolean;
  readonly qkNorm?: boolean;
  /** Training tokens; absent = 12 · N. */
  readonly tokens?: number;
}

export interface DepthPlan {
  readonly config: ModelConfig;
  readonly parameters: ParameterCounts;
  readonly flopsPerToken: FlopsPerToken;
  /** Training tokens; tokens of one optimizer step; their quotient, rounded. */
  readonly tokens: number;
  readonly batchTokens: number;
  readonly steps: number;
  /** AdamW's rate, of all parameters under "adamw", of embedding, head and gains under "muon". */
  readonly lr: number;
  /** The matrices' rate divided by `lr`; 1 under "adamw". */
  readonly matrixLrScale: number;
  readonly weightDecay: number;
  readonly muonWeightDecay: number;
  /** Where each number comes from, for people. */
  readonly rules: Readonly<Record<string, string>>;
}

const HEAD_DIM = 64;
const TOKENS_PER_PARAMETER = 12;
const REFERENCE_BATCH = 2 ** 19;
const REFERENCE_DEPTH = 12;

const rules: Readonly<Record<string, string>> = {
  width: "64 channels a layer, heads of 64 (nanochat: 64 channels a layer, heads of 128)",
  kvHeads: "as many as query heads below depth 12; from there groups of up to 4 (Llama 3)",
  ffn: "8/3 of the width, to the nearest 64: a SwiGLU MLP of 8·C² parameters (Shazeer 2020)",
  tokens: "12 tokens per parameter of block matrices and head (nanochat's fit)",
  batchTokens: "2^round(log2(2^19 · (D / D of depth 12)^0.383)) (Bergsma et al. 2025; nanochat)",
  lr:
    "adamw: 0.003239 - 0.0001395·ln N, at least 1.5e-4 (Kaplan et al. 2020, D.6; LLaMA-2 70B); " +
    "muon: 0.008 · (width / 768)^-1/2 · batch factor (nanochat's head rate)",
  matrixLr: "muon: 0.02 · batch factor; batch factor = sqrt(batch / 2^19), at least 1/4 (nanochat)",
  weightDecay: "adamw: 0.1 (LLaMA); muon's other parameters: 0.01 (nanochat)",
  muonWeightDecay:
    "0.28 · batch factor · (D of depth 12 / D), at most 0.28: the rule explodes at small depth",
};

/**
 * @param depth layers, 1 or more
 * @throws CONFIG when depth is not a whole number from 1 to 128
 */
export function planDepth(depth: number, options: DepthOptions): DepthPlan {
  const config = configOfDepth(depth, options);
  const tokens = options.tokens ?? tokensFor(config);
  const referenceTokens = tokensFor(configOfDepth(REFERENCE_DEPTH, options));
  const batchTokens = batchFor(tokens / referenceTokens, config.sequenceLen);
  const batchFactor = Math.max(0.25, Math.sqrt(batchTokens / REFERENCE_BATCH));
  const muon = options.optimizer === "muon";
  const lr = muon ? 0.008 * (config.nEmbd / 768) ** -0.5 * batchFactor : adamwRate(config);
  const decay = 0.28 * batchFactor * (referenceTokens / tokens);
  return {
    config,
    parameters: countParameters(config),
    flopsPerToken: flopsPerToken(config),
    tokens,
    batchTokens,
    steps: Math.max(1, Math.round(tokens / batchTokens)),
    lr,
    matrixLrScale: muon ? (0.02 * batchFactor) / lr : 1,
    weightDecay: muon ? 0.01 : 0.1,
    muonWeightDecay: Math.min(0.28, decay),
    rules,
  };
}

function configOfDepth(depth: number, options: DepthOptions): ModelConfig {
  if (!Number.isSafeInteger(depth) || depth < 1 || depth > 128)
    throw new NutshellError("CONFIG", `depth: must be a whole number from 1 to 128, got ${depth}.`);
  const nEmbd = HEAD_DIM * depth;
  return checkModelConfig({
    vocabSize: options.vocabSize,
    sequenceLen: options.sequenceLen,
    nLayer: depth,
    nHead: depth,
    nKvHead: depth / groupSize(depth),
    nEmbd,
    headDim: HEAD_DIM,
    nFfn: 64 * Math.round(((8 / 3) * nEmbd) / 64),
    ropeBase: 10000,
    normEps: 1e-5,
    qkNorm: options.qkNorm ?? false,
    tiedEmbeddings: options.tiedEmbeddings ?? false,
  });
}

/** Query heads that share a key head: the largest of 4, 3, 2, 1 that divides the heads. */
function groupSize(nHead: number): number {
  if (nHead < REFERENCE_DEPTH) return 1;
  return [4, 3, 2, 1].find((size) => nHead % size === 0) as number;
}

function scalingParameters(config: ModelConfig): number {
  const { head, matrices } = countParameters(config);
  return head + matrices;
}

function tokensFor(config: ModelConfig): number {
  return TOKENS_PER_PARAMETER * scalingParameters(config);
}

/** A power of two, but never less than one row. */
function batchFor(share: number, sequenceLen: number): number {
  const batch = 2 ** Math.round(Math.log2(REFERENCE_BATCH * share ** 0.383));
  return Math.max(batch, sequenceLen);
}

function adamwRate(config: ModelConfig): number {
  return Math.max(1.5e-4, 0.003239 - 0.0001395 * Math.log(scalingParameters(config)));
}
