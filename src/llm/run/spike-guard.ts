/**
 * Decides which steps are skipped: those whose gradient norm is far above the running median. One
 * bad batch then costs nothing; many in a row mean that the run has diverged. Its state is plain
 * data and part of every checkpoint, so that a resumed run skips the same steps.
 */
import { NutshellError } from "../../error.ts";
import type { StepOutcome } from "../optim/compile-train-step.ts";

export interface SpikeState {
  /** Norms of the last steps that were taken, oldest first. */
  norms: number[];
  /** Skipped steps in all, and in a row up to now. */
  skipped: number;
  inARow: number;
}

/** The median is over this many steps, and is trusted from the second number on. */
const WINDOW = 100;
const TRUSTED = 20;

export function createSpikeState(): SpikeState {
  return { norms: [], skipped: 0, inARow: 0 };
}

/** @returns the norm at which the next step is skipped; infinite while too few are known */
export function largestNorm({ norms }: SpikeState, spikeFactor: number): number {
  if (norms.length < TRUSTED) return Number.POSITIVE_INFINITY;
  const sorted = norms.toSorted((a, b) => a - b);
  return spikeFactor * (sorted[sorted.length >> 1] as number);
}

/**
 * Notes how a step ended.
 * @param step steps done, this one included  @param maxSkips skips in a row that end the run
 * @param stage the command that trains, for the message
 * @throws DIVERGED
 */
export function noteOutcome(
  state: SpikeState,
  { loss, gradNorm, skipped }: Omit<StepOutcome, "metrics">,
  step: number,
  maxSkips: number,
  stage = "pretrain",
): void {
  if (!skipped) {
    state.inARow = 0;
    state.norms.push(gradNorm);
    if (state.norms.length > WINDOW) state.norms.shift();
    return;
  }
  state.skipped++;
  state.inARow++;
  if (state.inARow < maxSkips) return;
  const got = `loss ${loss} and gradient norm ${gradNorm} at step ${step}`;
  throw new NutshellError(
    "DIVERGED",
    `${stage}: the gradient must settle, got ${got} after ${state.inARow} skipped steps in a row. ` +
      "Start again into a new --out with half the --lr, or warm up longer.",
  );
}
