/**
 * One update from any number of rows: each padded batch adds its gradients to a sum, from which
 * the optimizer then moves once. Programs are compiled when a shape is first needed.
 */
import type { Backend, HostArray, Program, Store } from "../../compute/backend.ts";
import { createLazyPrograms } from "../inference/lazy-programs.ts";
import { rateInputs, type StepOutcome, type StepRates } from "../optim/compile-train-step.ts";
import type { Objective } from "../optim/objective.ts";
import { type OptimizerOptions, trainGraph } from "../optim/train-step.ts";
import { type Bundle, fillBatch, type RowShape } from "./learn-rows.ts";
import { cutIntoBatches } from "./padded-shapes.ts";

export interface PolicyUpdate {
  /**
   * @param scalars further inputs of the loss
   * @returns metrics are means over tokens (or samples, for sequence losses)
   */
  run(
    bundles: readonly Bundle[],
    rates: StepRates,
    scalars?: Readonly<Record<string, HostArray>>,
  ): Promise<StepOutcome>;
  dispose(): Promise<void>;
}

/** @param objectiveOf the loss over one padded batch, whose metrics include `weight` */
export async function createPolicyUpdate(
  backend: Backend,
  store: Store,
  objectiveOf: (shape: RowShape) => Objective,
  options: OptimizerOptions,
  shapes: readonly RowShape[],
): Promise<PolicyUpdate> {
  const compile = (shape: RowShape, accumulate: "micro" | "apply"): Promise<Program> =>
    backend.compile(trainGraph(objectiveOf(shape), { ...options, accumulate }), store);
  const apply = await compile(shapes[0] as RowShape, "apply");
  const micros = createLazyPrograms((shape: RowShape) => compile(shape, "micro"));
  return {
    async run(bundles, rates, scalars = {}) {
      for (const { shape, bundles: batch } of cutIntoBatches(bundles, shapes)) {
        const micro = await micros.of(shape);
        await micro.run({ ...fillBatch(batch.flat(), shape), ...scalars });
      }
      return readOutcome(await apply.run(rateInputs(options, rates)));
    },
    async dispose() {
      await micros.dispose();
      apply.dispose();
    },
  };
}

/** Metrics come divided by the loss's units; here each is per weight. */
function readOutcome(outputs: Readonly<Record<string, HostArray>>): StepOutcome {
  const { loss, gradNorm, skipped, weight, ...rest } = outputs;
  const scalar = (value: HostArray | undefined): number => value?.[0] ?? 0;
  const total = Math.max(scalar(weight), 1e-30);
  const metrics = Object.entries(rest).map(([name, value]) => [name, scalar(value) / total]);
  return {
    loss: scalar(loss),
    gradNorm: scalar(gradNorm),
    skipped: scalar(skipped) !== 0,
    metrics: Object.fromEntries(metrics),
  };
}
