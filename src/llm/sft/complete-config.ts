/**
 * Fills in what a configuration left open. The result is what a run prints, stores in its
 * checkpoints and compares when it is resumed.
 */
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Precision } from "../model/transformer.ts";
import { lrmAt, type ResolvedStage, resolveStage } from "../run/stage-rates.ts";
import type { SftConfig } from "./config.ts";

/** A configuration in which nothing is left open that shapes the weights. */
export type RunConfig = Omit<ResolvedStage<SftConfig>, "sequenceLen"> & {
  readonly sequenceLen: number;
};

/** @returns T  @throws CONFIG when rows are longer than the model's context */
export function rowLength({ sequenceLen: asked }: SftConfig, { sequenceLen }: ModelConfig): number {
  if (asked === undefined || asked <= sequenceLen) return asked ?? sequenceLen;
  throw new NutshellError(
    "CONFIG",
    `sft: rows must fit the model's context of ${sequenceLen} tokens, got ${asked}. ` +
      "Pass a smaller --sequence-len.",
  );
}

/**
 * @param rows of an epoch's conversations  @param auto what precision "auto" means on this backend
 * @throws CONFIG when rows or the parts of the schedule do not fit
 */
export function completeConfig(
  config: SftConfig,
  model: ModelConfig,
  rows: number,
  auto: Precision,
): RunConfig {
  const rowsPerStep = config.batchSize * config.gradAccumSteps;
  const all = rows / (1 - config.textShare);
  const steps = config.steps ?? Math.max(1, Math.ceil((config.epochs * all) / rowsPerStep));
  // The rate falls from the end of the warmup on: what was learned last should be undone least.
  const warmup = Math.min(config.warmup, steps - 1);
  const warmdown = config.warmdown ?? steps - warmup;
  const { loraRank, loraAlpha } = config;
  const resolved = resolveStage({ ...config, warmup, warmdown }, steps, auto);
  lrmAt(resolved, 0); // Refuses parts that do not fit into the run.
  return {
    ...resolved,
    sequenceLen: rowLength(config, model),
    loraAlpha: loraAlpha ?? (loraRank === undefined ? undefined : 2 * loraRank),
  };
}
