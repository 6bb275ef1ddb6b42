/**
 * One optimizer step as programs: a single one where a step is one batch, else one that adds up a
 * micro-batch's gradients and one that applies their sum.
 */
import type { Backend, Program, Store } from "../../compute/backend.ts";
import type { Batch } from "../data/sampling/batch.ts";
import type { ModelConfig } from "../model/config.ts";
import { stepScalars } from "../optim/adamw.ts";
import { lrMultiplier, muonMomentum } from "../optim/schedule.ts";
import { type TrainGraphOptions, trainGraph } from "../optim/train-step.ts";
import { type RunConfig, scheduleOf } from "./complete-config.ts";
import type { StepOutcome } from "./spike-guard.ts";

export interface TrainStep {
  /**
   * @param step steps done before this one  @param updates those of them that were not skipped
   * @param maxNorm a gradient norm from which the step is skipped
   */
  run(
    batches: readonly Batch[],
    step: number,
    updates: number,
    maxNorm: number,
  ): Promise<StepOutcome>;
  /** Peak of a step beside the store: activations, packing buffers. */
  readonly plannedBytes: number;
  dispose(): void;
}

export async function compileTrainStep(
  backend: Backend,
  store: Store,
  model: ModelConfig,
  config: RunConfig,
): Promise<TrainStep> {
  const compile = (accumulate: TrainGraphOptions["accumulate"]): Promise<Program> =>
    backend.compile(trainGraph(model, { ...graphOptions(config), accumulate }), store);
  const fused = config.gradAccumSteps === 1;
  const update = await compile(fused ? "none" : "apply");
  const micro = fused ? undefined : await compile("micro");
  const programs = micro === undefined ? [update] : [micro, update];
  return {
    async run(batches, step, updates, maxNorm) {
      for (const batch of micro === undefined ? [] : batches) await micro?.run(batchInputs(batch));
      const batch = fused ? batchInputs(batches[0] as Batch) : {};
      const outputs = await update.run({ ...batch, ...rates(config, step, updates, maxNorm) });
      const scalar = (name: string): number => outputs[name]?.[0] as number;
      return {
        loss: scalar("loss"),
        gradNorm: scalar("gradNorm"),
        skipped: scalar("skipped") !== 0,
      };
    },
    plannedBytes: Math.max(...programs.map(({ plan }) => plan.arenaBytes + plan.scratchBytes)),
    dispose: () => programs.forEach((program) => void program.dispose()),
  };
}

function graphOptions(config: RunConfig): Omit<TrainGraphOptions, "accumulate"> {
  const { optimizer, precision, weightDecay, muonWeightDecay, clip } = config;
  return {
    ...{ B: config.batchSize, T: config.sequenceLen, optimizer, precision },
    ...{ betas: betasOf(config), eps: 1e-8, weightDecay, muonWeightDecay },
    ...(clip === undefined ? {} : { clip }),
    ...(optimizer === "muon" ? { lrScale: { matrix: config.muonLr / config.lr } } : {}),
  };
}

function batchInputs({ inputs, targets }: Batch): Record<string, Int32Array> {
  return { tokens: inputs, targets };
}

function rates(
  config: RunConfig,
  step: number,
  updates: number,
  maxNorm: number,
): Record<string, Float32Array> {
  const lr = config.lr * lrMultiplier(scheduleOf(config), step);
  const scalars = stepScalars(lr, updates + 1, betasOf(config));
  const momentum =
    config.optimizer === "muon" ? { momentum: Float32Array.of(muonMomentum(step)) } : {};
  return { scalars, maxNorm: Float32Array.of(maxNorm), ...momentum };
}

function betasOf({ beta1, beta2 }: RunConfig): [number, number] {
  return [beta1, beta2];
}
