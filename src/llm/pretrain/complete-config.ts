/**
 * Fills in what a configuration left open: sizes and rates by the depth dial, steps by its tokens.
 * The result is what a run prints, stores in its checkpoints and compares when it is resumed.
 */
import { NutshellError } from "../../error.ts";
import { checkModelConfig, type ModelConfig } from "../model/config.ts";
import { type DepthPlan, planDepth } from "../model/depth.ts";
import type { Precision } from "../model/transformer.ts";
import type { OptimizerOptions } from "../optim/train-step.ts";
import { lrmAt, optimizerOptionsOf } from "../run/stage-rates.ts";
import type { PretrainConfig } from "./config.ts";

type Decided = "gradAccumSteps" | "steps" | "lr" | "muonLr" | "warmup" | "warmdown" | "weightDecay";
type Known = Decided | "muonWeightDecay" | "nEmbd" | "nHead" | "nFfn";

/** A configuration in which nothing is left open that shapes the weights. */
export type RunConfig = Omit<PretrainConfig, Known | "precision"> &
  Readonly<Record<Known, number>> & { readonly precision: Precision };

/**
 * @param vocabSize what the tokenizer has, which may be less than was asked for
 * @param auto what precision "auto" means on this backend
 * @throws CONFIG when sizes or the parts of the schedule do not fit together
 */
export function completeConfig(
  config: PretrainConfig,
  vocabSize: number,
  auto: Precision,
): { config: RunConfig; model: ModelConfig } {
  const dial = planDepth(config.depth, {
    vocabSize,
    sequenceLen: config.sequenceLen,
    optimizer: config.optimizer,
    tiedEmbeddings: config.tied,
    qkNorm: config.qkNorm,
  });
  const model = modelOf(config, dial);
  const rowTokens = config.batchSize * config.sequenceLen;
  const accumulate = Math.max(1, Math.round(dial.batchTokens / rowTokens));
  const gradAccumSteps = config.gradAccumSteps ?? accumulate;
  const batchTokens = gradAccumSteps * rowTokens;
  const steps = config.steps ?? Math.max(1, Math.round(dial.tokens / batchTokens));
  const complete: RunConfig = {
    ...config,
    ...{ nEmbd: model.nEmbd, nHead: model.nHead, nFfn: model.nFfn, gradAccumSteps, steps },
    lr: config.lr ?? dial.lr,
    muonLr: config.muonLr ?? dial.lr * dial.matrixLrScale,
    weightDecay: config.weightDecay ?? dial.weightDecay,
    muonWeightDecay: config.muonWeightDecay ?? dial.muonWeightDecay,
    warmup: config.warmup ?? Math.ceil(0.02 * steps),
    warmdown: config.warmdown ?? Math.floor(0.5 * steps),
    precision: config.precision === "auto" ? auto : config.precision,
  };
  lrmAt(complete, 0); // Refuses parts of the schedule that do not fit into the run.
  return { config: complete, model };
}

/** The dial's model with the sizes that were given. */
function modelOf(config: PretrainConfig, dial: DepthPlan): ModelConfig {
  const { nEmbd = dial.config.nEmbd, nHead = dial.config.nHead, nFfn } = config;
  const headDim = nEmbd / nHead;
  if (!Number.isInteger(headDim))
    throw new NutshellError(
      "CONFIG",
      `pretrain: nHead must divide nEmbd, got ${nHead} and ${nEmbd}. Change one of them.`,
    );
  const asDialled = nEmbd === dial.config.nEmbd && nHead === dial.config.nHead;
  return checkModelConfig({
    ...dial.config,
    ...{ nEmbd, nHead, headDim, nKvHead: asDialled ? dial.config.nKvHead : nHead },
    nFfn: nFfn ?? 8 * Math.round(nEmbd / 3),
  });
}

/** Muon's decay has a dial of its own here. */
export function optimizerOptions(config: RunConfig): OptimizerOptions {
  return { ...optimizerOptionsOf(config), muonWeightDecay: config.muonWeightDecay };
}
