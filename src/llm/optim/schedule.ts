/**
 * Learning rate multipliers (`lrm`) and Muon's momentum as pure functions of the step, so that a
 * resumed run needs no scheduler state. Steps count from 0.
 */
import { NutshellError } from "../../error.ts";

export type ScheduleKind = "cosine" | "trapezoid" | "constant";

export interface Schedule {
  readonly kind: ScheduleKind;
  /** Steps of the whole run. */
  readonly steps: number;
  /** Steps of linear rise; 0 = none. */
  readonly warmup: number;
  /** Trapezoid only: steps of linear fall at the end. */
  readonly warmdown: number;
  /** The multiplier at the end of the fall, 0 … 1. */
  readonly floor: number;
}

const fall: Readonly<Record<ScheduleKind, (schedule: Schedule, step: number) => number>> = {
  constant: () => 1,
  cosine: ({ steps, warmup }, step) => {
    const done = (step - warmup) / Math.max(1, steps - warmup);
    return 0.5 * (1 + Math.cos(Math.PI * Math.min(1, done)));
  },
  trapezoid: ({ steps, warmdown }, step) =>
    Math.min(1, Math.max(0, (steps - step) / Math.max(1, warmdown))),
};

/**
 * @returns the multiplier of every learning rate at `step`: (step + 1) / warmup while it rises,
 *   then 1 falling to `floor` as the kind says
 * @throws CONFIG when the parts do not fit into the run
 * @see Loshchilov & Hutter 2017 (cosine); Hägele et al. 2024 (trapezoid)
 */
export function lrMultiplier(schedule: Schedule, step: number): number {
  const { kind, steps, warmup, warmdown, floor } = schedule;
  if (warmup + (kind === "trapezoid" ? warmdown : 0) > steps)
    throw new NutshellError(
      "CONFIG",
      `schedule: warmup and warmdown must fit into the run, got ${warmup} + ${warmdown} of ${steps} steps.`,
    );
  if (step < warmup) return (step + 1) / warmup;
  return floor + (1 - floor) * fall[kind](schedule, step);
}

/** Muon's momentum rises from 0.85 to 0.95 over 300 steps. @see Jordan et al. 2024 */
export function muonMomentum(step: number): number {
  return 0.85 + 0.1 * Math.min(1, step / 300);
}
