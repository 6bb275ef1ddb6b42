/**
 * One training step as graphs: forward, gradients, global norm, clip, skip decision and update, so
 * that a step is one native call. With gradient accumulation the same step is cut in two: "micro"
 * adds a batch's gradients to `grad.NAME`, "apply" updates from the sum and zeroes it.
 *
 * Gradients are those of the summed loss; the division by the number of valid targets happens at
 * the update. So 8 micro-batches of 1 weigh tokens exactly as a batch of 8 does, masks included.
 * A step is skipped, and leaves every parameter and moment as it was, when the gradient norm is
 * not finite, when it is not below the input `maxNorm`, or when no target is valid.
 */
import { grad } from "../../compute/gradients.ts";
import { constant, type Graph, input, type Shape, state, type Value } from "../../compute/graph.ts";
import { broadcastTo } from "../../compute/ops/broadcast.ts";
import { add, div, less, maximum, minimum, mul, sqrt } from "../../compute/ops/elementwise.ts";
import { reshape } from "../../compute/ops/reshape.ts";
import { pad, slice } from "../../compute/ops/slice.ts";
import { sumSquares } from "../../compute/ops/sum-squares.ts";
import type { ModelConfig } from "../model/config.ts";
import { type ParameterSpec, parameterSpecs } from "../model/parameters.ts";
import {
  lossSum,
  modelParameters,
  type Precision,
  type StateUpdate,
} from "../model/transformer.ts";
import { type AdamwOptions, adamwStateNames, adamwUpdates } from "./adamw.ts";
import { type MuonStep, muonStateName, muonUpdates } from "./muon.ts";

export interface TrainGraphOptions extends AdamwOptions {
  /** Rows and tokens of a row in one (micro-)batch. */
  readonly B: number;
  readonly T: number;
  readonly precision: Precision;
  /** "muon": block matrices take Muon, with `lrScale.matrix`; all others take AdamW. */
  readonly optimizer: "adamw" | "muon";
  readonly muonWeightDecay?: number;
  /** Largest norm of the mean loss's gradient; larger ones are scaled down. Absent = off. */
  readonly clip?: number;
  readonly accumulate: "none" | "micro" | "apply";
}

/** Summed losses in nats, their number, and the gradients of the sum. */
interface Totals {
  readonly loss: Value;
  readonly count: Value;
  readonly gradients: readonly Value[];
}

/**
 * Inputs: `tokens`, `targets` i32 [B, T] (a negative target is ignored; not for "apply");
 * `scalars` f32 [5] (see `stepScalars`), `maxNorm` f32 and, for Muon, `momentum` f32 (not for
 * "micro"). Outputs: `loss` (mean, nats); but for "micro", `gradNorm` (before clipping) and
 * `skipped` (0 or 1). States: parameters by name, `adamw.m.`, `adamw.v.`, `muon.momentum.`, `grad.`
 * before a parameter's name, `grad.loss` and `grad.count`.
 */
export function trainGraph(config: ModelConfig, options: TrainGraphOptions): Graph {
  const params = modelParameters(config);
  if (options.accumulate === "none")
    return updateGraph(config, params, batchTotals(config, params, options), options, []);
  const sums = accumulatedTotals(config);
  if (options.accumulate === "micro") return microGraph(batchTotals(config, params, options), sums);
  const zeroed = totalsList(sums).map((old) => ({
    state: old,
    value: broadcastTo(constant(0), old.shape),
  }));
  return updateGraph(config, params, sums, options, zeroed);
}

/** What a checkpoint must hold beside the parameters for training to go on. */
export function optimizerState(
  config: ModelConfig,
  optimizer: "adamw" | "muon",
): { name: string; shape: Shape }[] {
  return parameterSpecs(config).flatMap((spec) => {
    const { name, shape } = spec;
    const names = usesMuon(spec, optimizer) ? [muonStateName(name)] : adamwStateNames(name);
    return names.map((stateName) => ({ name: stateName, shape }));
  });
}

function usesMuon({ role }: ParameterSpec, optimizer: "adamw" | "muon"): boolean {
  return optimizer === "muon" && role === "matrix";
}

function batchTotals(
  config: ModelConfig,
  params: ReadonlyMap<string, Value>,
  { B, T, precision }: TrainGraphOptions,
): Totals {
  const tokens = input("tokens", [B, T], "i32");
  const targets = input("targets", [B, T], "i32");
  const { sum, count } = lossSum(config, params, tokens, targets, precision);
  return { loss: sum, count, gradients: grad(sum, [...params.values()]) };
}

function accumulatedTotals(config: ModelConfig): Totals {
  return {
    loss: state("grad.loss", []),
    count: state("grad.count", []),
    gradients: parameterSpecs(config).map(({ name, shape }) => state(`grad.${name}`, shape)),
  };
}

const totalsList = (totals: Totals): Value[] => [totals.loss, totals.count, ...totals.gradients];

function microGraph(batch: Totals, sums: Totals): Graph {
  const added = totalsList(batch);
  return {
    outputs: { loss: div(batch.loss, maximum(batch.count, 1)) },
    updates: totalsList(sums).map((old, i) => ({ state: old, value: add(old, added[i] as Value) })),
  };
}

function updateGraph(
  config: ModelConfig,
  params: ReadonlyMap<string, Value>,
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
  const updates = parameterSpecs(config).flatMap((spec, i) => {
    const [weight, gradient] = [params.get(spec.name), totals.gradients[i]] as [Value, Value];
    return usesMuon(spec, options.optimizer)
      ? muonUpdates(spec, weight, gradient, step.muon, {
          weightDecay: options.muonWeightDecay ?? options.weightDecay,
          lrScale: options.lrScale?.matrix ?? 1,
          precision: options.precision,
        })
      : adamwUpdates(spec, weight, gradient, step.scalars, options);
  });
  return {
    outputs: { loss: div(totals.loss, count), gradNorm, skipped: less(apply, 1) },
    updates: [...updates, ...zeroed],
  };
}

/** PyTorch's rule: min(1, clip / (norm + 1e-6)). */
function clipScale(norm: Value, clip: number | undefined): Value {
  return clip === undefined ? constant(1) : minimum(1, div(clip, add(norm, 1e-6)));
}

/** AdamW's scalar vector with the graph's own two entries put in, and Muon's scalars. */
function stepValues(
  { optimizer }: TrainGraphOptions,
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
