/**
 * Fills in what a configuration left open, once model and data are known. The result is what a run
 * prints, stores in its checkpoints and compares when it is resumed.
 */
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Precision } from "../model/transformer.ts";
import type { RewardConfig } from "./config.ts";

type Decided = "steps" | "warmdown" | "sequenceLen" | "muonLr";

/** A configuration in which nothing is left open that shapes the weights. */
export type RunConfig = Omit<RewardConfig, Decided | "precision"> &
  Readonly<Record<Decided, number>> & { readonly precision: Precision };

/**
 * @param auto what precision "auto" means on this backend
 * @throws CONFIG when sizes do not fit together
 */
export function completeSizes(
  asked: RewardConfig,
  model: ModelConfig,
  auto: Precision,
): RewardConfig & { readonly sequenceLen: number; readonly precision: Precision } {
  const { sequenceLen = model.sequenceLen, batchSize, maxResponses } = asked;
  if (sequenceLen > model.sequenceLen)
    throw configError(
      `sequenceLen must be at most the model's ${model.sequenceLen}, got ${sequenceLen}. Lower it.`,
    );
  if (maxResponses > batchSize)
    throw configError(
      `batchSize must hold all answers of a prompt, got ${batchSize} rows for maxResponses ` +
        `${maxResponses}. Raise --batch or lower --max-responses.`,
    );
  const precision = asked.precision === "auto" ? auto : asked.precision;
  return { ...asked, sequenceLen, precision };
}

/** @param epochSteps steps that the epochs take; counts where none are asked for */
export function completeSteps(
  sized: ReturnType<typeof completeSizes>,
  epochSteps: number,
): RunConfig {
  const steps = sized.steps ?? Math.max(1, epochSteps);
  const warmup = Math.min(sized.warmup, Math.floor(steps / 2));
  return {
    ...sized,
    ...{ steps, warmup },
    warmdown: sized.warmdown ?? Math.floor(0.5 * steps),
    muonLr: sized.muonLr ?? sized.lr,
  };
}

/** Tokens of one optimizer step, padding included. */
export function tokensPerStep(config: RunConfig): number {
  return config.batchSize * config.sequenceLen * config.gradAccumSteps;
}

function configError(what: string): NutshellError {
  return new NutshellError("CONFIG", `reward: ${what}`);
}
