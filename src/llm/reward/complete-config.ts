/**
 * Fills in what a configuration left open, once model and data are known. The result is what a run
 * prints, stores in its checkpoints and compares when it is resumed.
 */
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Precision } from "../model/transformer.ts";
import { lrmAt, type ResolvedStage, resolveStage } from "../run/stage-rates.ts";
import type { RewardConfig } from "./config.ts";

/** A configuration whose sizes are known, before its steps are. */
export type SizedConfig = RewardConfig & { readonly sequenceLen: number };

/** A configuration in which nothing is left open that shapes the weights. */
export type RunConfig = ResolvedStage<SizedConfig>;

/** @throws CONFIG when sizes do not fit together */
export function completeSizes(asked: RewardConfig, model: ModelConfig): SizedConfig {
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
  return { ...asked, sequenceLen };
}

/**
 * @param epochSteps steps that the epochs take; counts where none are asked for
 * @param auto what precision "auto" means on this backend
 * @throws CONFIG when the parts of the schedule do not fit
 */
export function completeSteps(sized: SizedConfig, epochSteps: number, auto: Precision): RunConfig {
  const steps = sized.steps ?? Math.max(1, epochSteps);
  const warmup = Math.min(sized.warmup, Math.floor(steps / 2));
  const resolved = resolveStage({ ...sized, warmup }, steps, auto);
  lrmAt(resolved, 0); // Refuses parts that do not fit into the run.
  return resolved;
}

function configError(what: string): NutshellError {
  return new NutshellError("CONFIG", `reward: ${what}`);
}
