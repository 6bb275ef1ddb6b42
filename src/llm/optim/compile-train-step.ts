/**
 * One optimizer step as programs: a single one where a step is one batch, else one that adds up a
 * micro-batch's gradients and one that applies their sum.
 */
import type { Backend, HostArray, Program, Store } from "../../compute/backend.ts";
import { stepScalars } from "./adamw.ts";
import type { Objective } from "./objective.ts";
import { type OptimizerOptions, trainGraph } from "./train-step.ts";

/** A micro-batch: the objective's inputs by name. */
export type StepInputs = Readonly<Record<string, HostArray>>;

export interface StepRates {
  readonly lr: number;
  /** Updates that were not skipped, this one included; 1 for the first. */
  readonly t: number;
  /** A gradient norm from which the step is skipped; absent = only one that is not finite. */
  readonly maxNorm?: number;
  /** Muon's; absent = 0.95. */
  readonly momentum?: number;
}

export interface StepOutcome {
  /** Mean over the units; in nats for a language model. */
  readonly loss: number;
  readonly gradNorm: number;
  readonly skipped: boolean;
  /** The objective's metrics, means over the units. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface TrainStep {
  /** @param batches as many as `microSteps`; all zero where nothing is left to fill one with */
  run(batches: readonly StepInputs[], rates: StepRates): Promise<StepOutcome>;
  /** Peak of a step beside the store: activations, packing buffers. */
  readonly plannedBytes: number;
  dispose(): void;
}

/** @param microSteps batches of one step */
export async function compileTrainStep(
  backend: Backend,
  store: Store,
  objective: Objective,
  options: OptimizerOptions,
  microSteps = 1,
): Promise<TrainStep> {
  const compile = (accumulate: "none" | "micro" | "apply"): Promise<Program> =>
    backend.compile(trainGraph(objective, { ...options, accumulate }), store);
  const fused = microSteps === 1;
  const update = await compile(fused ? "none" : "apply");
  const micro = fused ? undefined : await compile("micro");
  const programs = micro === undefined ? [update] : [micro, update];
  const names = Object.keys(objective.metrics ?? {});
  return {
    async run(batches, rates) {
      for (const batch of micro === undefined ? [] : batches) await micro?.run(batch);
      const outputs = await update.run({
        ...(fused ? batches[0] : {}),
        ...rateInputs(options, rates),
      });
      const scalar = (name: string): number => outputs[name]?.[0] as number;
      return {
        loss: scalar("loss"),
        gradNorm: scalar("gradNorm"),
        skipped: scalar("skipped") !== 0,
        metrics: Object.fromEntries(names.map((name) => [name, scalar(name)])),
      };
    },
    plannedBytes: Math.max(...programs.map(({ plan }) => plan.arenaBytes + plan.scratchBytes)),
    dispose: () => programs.forEach((program) => void program.dispose()),
  };
}

/** What an applying program reads beside its batch. */
export function rateInputs(
  { betas, optimizer }: OptimizerOptions,
  { lr, t, maxNorm = Number.POSITIVE_INFINITY, momentum = 0.95 }: StepRates,
): StepInputs {
  return {
    scalars: stepScalars(lr, t, betas),
    maxNorm: Float32Array.of(maxNorm),
    ...(optimizer === "muon" ? { momentum: Float32Array.of(momentum) } : {}),
  };
}
