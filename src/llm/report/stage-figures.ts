/** What a stage cost, worked out from its record. */
import { isNumber } from "./figures.ts";
import type { Machine, StageRecord } from "./record.ts";

/**
 * Model FLOPs utilisation: FLOPs of training over what the kernels' peak would have done in the
 * time of the training steps. @returns null when a part is missing
 * @see Chowdhery et al. 2022, §4.1
 */
export function utilisation(stage: StageRecord, machine: Machine): number | null {
  const possible = stage.trainSeconds * machine.peakGflops * 1e9;
  const share = stage.flops / possible;
  return possible > 0 && isNumber(share) ? share : null;
}

/** Tokens a second of the training steps. */
export function tokensPerSecond({ tokens, trainSeconds }: StageRecord): number | null {
  const rate = tokens / trainSeconds;
  return trainSeconds > 0 && isNumber(rate) ? rate : null;
}

/** The sum of what is known. */
export function total(stages: readonly StageRecord[], of: (stage: StageRecord) => number): number {
  return stages.reduce((sum, stage) => sum + (isNumber(of(stage)) ? of(stage) : 0), 0);
}
