/**
 * One training step as graphs: forward, gradients, global norm, clip, skip decision and update, so
 * that a step is one native call. With gradient accumulation the same step is cut in two: "micro"
 * adds a batch's gradients to `grad.NAME`, "apply" updates from the sum and zeroes it.
 *
 * A step is skipped, and leaves every parameter and moment as it was, when the gradient norm is
 * not finite, when it is not below the input `maxNorm`, or when there is no unit to learn from.
 */
import { grad } from "../../compute/gradients.ts";
import { constant, type Graph, input, type Shape, state, type Value } from "../../compute/graph.ts";
import { broadcastTo } from "../../compute/ops/broadcast.ts";
import { add, div, less, maximum, minimum, mul, sqrt } from "../../compute/ops/elementwise.ts";
import { reshape } from "../../compute/ops/reshape.ts";
import { pad, slice } from "../../compute/ops/slice.ts";
import { sumSquares } from "../../compute/ops/sum-squares.ts";
import type { ParameterSpec } from "../model/parameters.ts";
import type { Precision, StateUpdate } from "../model/transformer.ts";
import { type AdamwOptions, adamwStateNames, adamwUpdates } from "./adamw.ts";
import { type MuonStep, muonStateName, muonUpdates } from "./muon.ts";
import type { Objective } from "./objective.ts";

export type OptimizerName = "adamw" | "muon";

export interface OptimizerOptions extends AdamwOptions {
  readonly precision: Precision;
  /** "muon": block matrices take Muon, with `lrScale.matrix`; all others take AdamW. */
  readonly optimizer: OptimizerName;
  readonly muonWeightDecay?: number;
  /** Largest norm of the mean loss's gradient; larger ones are scaled down. Absent = off. */
  readonly clip?: number;
}

export interface TrainGraphOptions extends OptimizerOptions {
  readonly accumulate: "none" | "micro" | "apply";
}

/** Sums over units, and the gradients of the summed loss. */
interface Totals {
  readonly loss: Value;
  readonly count: Value;
  readonly metrics: readonly Value[];
  readonly gradients: readonly Value[];
}

/**
 * Inputs: those of the objective (not for "apply"); `scalars` f32 [5] (see `stepScalars`),
 * `maxNorm` f32 and, for Muon, `momentum` f32 (not for "micro"). Outputs: `loss` and the metrics
 * (means); but for "micro", `gradNorm` (before clipping) and `skipped` (0 or 1). States: parameters
 * by name, `adamw.m.`, `adamw.v.`, `muon.momentum.`, `grad.` before a parameter's name, and
 * `grad.loss`, `grad.count`, `grad.metric.NAME`.
 */
export function trainGraph(objective: Objective, options: TrainGraphOptions): Graph {
  if (options.accumulate === "none")
    return updateGraph(objective, batchTotals(objective), options, []);
  const sums = accumulatedTotals(objective);
  if (options.accumulate === "micro") return microGraph(objective, batchTotals(objective), sums);
  const zeroed = totalsList(sums).map((old) => ({
    state: old,
    value: broadcastTo(constant(0), old.shape),
  }));
  return updateGraph(objective, sums, options, zeroed);
}

/** What a checkpoint must hold beside the parameters for training to go on. */
export function optimizerState(
  specs: readonly ParameterSpec[],
  optimizer: OptimizerName,
): { name: string; shape: Shape }[] {
  return specs.flatMap((spec) => {
    const { name, shape } = spec;
    const names = usesMuon(spec, optimizer) ? [muonStateName(name)] : adamwStateNames(name);
    return names.map((stateName) => ({ name: stateName, shape }));
  });
}

function usesMuon({ role }: ParameterSpec, optimizer: OptimizerName): boolean {
  return optimizer === "muon" && role === "matrix";
}

function trained({ specs, params }: Objective): Value[] {
  return specs.map(({ name }) => params.get(name) as Value);
}

function batchTotals(objective: Objective): Totals {
  const { loss, count, metrics = {} } = objective;
  const gradients = grad(loss, trained(objective));
  return { loss, count, metrics: Object.values(metrics), gradients };
}

function accumulatedTotals({ specs, metrics = {} }: Objective): Totals {
  return {
    loss: state("grad.loss", []),
    count: state("grad.count", []),
    metrics: Object.keys(metrics).map((name) => state(`grad.metric.${name}`, [])),
    gradients: specs.map(({ name, shape }) => state(`grad.${name}`, shape)),
  };
}

function totalsList({ loss, count, metrics, gradients }: Totals): Value[] {
  return [loss, count, ...metrics, ...gradients];
}

/** Loss and metrics per unit. */
function means({ metrics = {} }: Objective, totals: Totals): Record<string, Value> {
  const count = maximum(totals.count, 1);
  const named = Object.keys(metrics).map((name, i) => [name, totals.metrics[i] as Value] as const);
  const all = [["loss", totals.loss] as const, ...named];
  return Object.fromEntries(all.map(([name, total]) => [name, div(total, count)]));
}

function microGraph(objective: Objective, batch: Totals, sums: Totals): Graph {
  const added = totalsList(batch);
  return {
    outputs: means(objective, batch),
    updates: totalsList(sums).map((old, i) => ({ state: old, value: add(old, added[i] as Value) })),
  };
}

function updateGraph(
  objective: Objective,
  totals: Totals,
  options: TrainGraphOptions,
  zeroed: readonly StateUpdate[],
): Graph {
  const count = maximum(totals.count, 1);
  const gradNorm = div(sqrt(sumSquares(totals.gradients)), count);
  // Comparing with NaN gives 0, and infinity is below nothing: one test finds both.
  const apply = mul(less(gradNorm, input("maxNorm", [])), less(0, totals.count));
  const gradScale = div(clipScale(gradNorm, options.clip), count);
  const step = stepValues(options, gradScale, apply);
  const weights = trained(objective);
  const updates = objective.specs.flatMap((spec, i) => {
    const [weight, gradient] = [weights[i], totals.gradients[i]] as [Value, Value];
    return usesMuon(spec, options.optimizer)
      ? muonUpdates(spec, weight, gradient, step.muon, {
          weightDecay: options.muonWeightDecay ?? options.weightDecay,
          lrScale: options.lrScale?.matrix ?? 1,
          precision: options.precision,
        })
      : adamwUpdates(spec, weight, gradient, step.scalars, options);
  });
  return {
    outputs: { ...means(objective, totals), gradNorm, skipped: less(apply, 1) },
    updates: [...updates, ...zeroed],
  };
}

/** PyTorch's rule: min(1, clip / (norm + 1e-6)). */
function clipScale(norm: Value, clip: number | undefined): Value {
  return clip === undefined ? constant(1) : minimum(1, div(clip, add(norm, 1e-6)));
}

/** AdamW's scalar vector with the graph's own two entries put in, and Muon's scalars. */
function stepValues(
  { optimizer }: OptimizerOptions,
  gradScale: Value,
  apply: Value,
): { scalars: Value; muon: MuonStep } {
  const given = input("scalars", [5]);
  const entry = (x: Value, at: number): Value => pad(reshape(x, [1]), [at], [5]);
  const scalars = add(given, add(entry(gradScale, 1), entry(apply, 4)));
  const lr = reshape(slice(given, [0], [1]), []);
  const momentum = optimizer === "muon" ? input("momentum", []) : constant(0);
  return { scalars, muon: { lr, momentum, gradScale, apply } };
}
