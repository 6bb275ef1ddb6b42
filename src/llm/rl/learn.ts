/** The updates of one step: passes over its rows, each cut into minibatches. */
import type { HostArray } from "../../compute/backend.ts";
import { createPermutation } from "../data/sampling/permutation.ts";
import type { StepOutcome } from "../optim/compile-train-step.ts";
import { largestNorm, noteOutcome, type SpikeState } from "../run/spike-guard.ts";
import { ratesAt } from "../run/stage-rates.ts";
import type { RunConfig } from "./complete-config.ts";
import type { Bundle } from "./learn-rows.ts";
import type { PolicyUpdate } from "./policy-update.ts";

/** What learning moves beside the weights; part of every checkpoint. */
export interface LearningState {
  readonly spikes: SpikeState;
  /** Updates in all, skipped ones not counted. */
  updates: number;
  /** β, as the controller has it. */
  klWeight: number;
}

/** Means over the step's updates; all 0 when there was nothing to learn from. */
export interface Learning {
  readonly updates: number;
  readonly skipped: number;
  readonly loss: number;
  readonly gradNorm: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** @param step steps done before this one  @throws DIVERGED */
export async function learn(
  bundles: readonly Bundle[],
  config: RunConfig,
  state: LearningState,
  update: PolicyUpdate,
  scalars: Readonly<Record<string, HostArray>>,
  step: number,
): Promise<Learning> {
  const outcomes: StepOutcome[] = [];
  // A batch without targets would be a skipped step, and many of those look like divergence.
  const usable = bundles.filter((bundle) => bundle.some(({ mask }) => mask.includes(1)));
  for (const minibatch of minibatches(usable, config, step)) {
    const maxNorm = largestNorm(state.spikes, config.spikeFactor);
    const rates = { ...ratesAt(config, step, state.updates), maxNorm };
    const outcome = await update.run(minibatch, rates, scalars);
    if (!outcome.skipped) state.updates++;
    outcomes.push(outcome);
    noteOutcome(state.spikes, outcome, step + 1, config.maxSkips, "rl");
  }
  return summarise(outcomes);
}

/** Every bundle once a pass, in an order that follows from (seed, step, pass). */
export function minibatches(
  bundles: readonly Bundle[],
  { seed, epochs, minibatches: parts }: Pick<RunConfig, "seed" | "epochs" | "minibatches">,
  step: number,
): Bundle[][] {
  const size = Math.ceil(bundles.length / parts);
  return Array.from({ length: epochs }, (_, pass) => {
    const at = createPermutation(bundles.length, seed, step, pass);
    const order = bundles.map((_bundle, i) => bundles[at(i)] as Bundle);
    return Array.from({ length: parts }, (_part, i) => order.slice(i * size, (i + 1) * size));
  })
    .flat()
    .filter((minibatch) => minibatch.length > 0);
}

function summarise(outcomes: readonly StepOutcome[]): Learning {
  const mean = (read: (outcome: StepOutcome) => number): number =>
    outcomes.reduce((sum, outcome) => sum + read(outcome), 0) / Math.max(1, outcomes.length);
  const names = Object.keys(outcomes[0]?.metrics ?? {});
  return {
    updates: outcomes.length,
    skipped: outcomes.filter(({ skipped }) => skipped).length,
    loss: mean(({ loss }) => loss),
    gradNorm: mean(({ gradNorm }) => gradNorm),
    metrics: Object.fromEntries(names.map((name) => [name, mean((o) => o.metrics[name] ?? 0)])),
  };
}
