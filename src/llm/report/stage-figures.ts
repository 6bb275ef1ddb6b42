/** What a stage cost, worked out from its record. */
import { isNumber } from "./figures.ts";
import type { Machine, StageRecord } from "./record.ts";

/**
 * Model FLOPs utilisation: FLOPs of training over what the kernels' peak would have done in the
 * time of the training steps. @returns null when a part is missing
 * @see Chowdhery et al. 2022, §4.1
 */
export function utilisation(stage: StageRecord, machine: Machine): number | null {
  return ratio(stage.flops, stage.trainSeconds * machine.peakGflops * 1e9);
}

/** Tokens a second of the training steps. */
export function tokensPerSecond({ tokens, trainSeconds }: StageRecord): number | null {
  return ratio(tokens, trainSeconds);
}

/** The sum of what is known. */
export function total(stages: readonly StageRecord[], of: (stage: StageRecord) => number): number {
  return stages.reduce((sum, stage) => sum + (isNumber(of(stage)) ? of(stage) : 0), 0);
}

/** A stage that does not know a number writes 0. */
export function known(value: number): number | null {
  return isNumber(value) && value > 0 ? value : null;
}

function ratio(part: number, whole: number): number | null {
  return known(part) === null || known(whole) === null ? null : part / whole;
}
