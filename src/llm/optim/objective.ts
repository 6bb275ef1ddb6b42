/**
 * What a stage minimises, as a graph: a summed loss, how many units it is over, and the parameters
 * that move. Sums instead of means, so that 8 micro-batches of 1 weigh units exactly as a batch of
 * 8 does, masks included: the division by the number of units happens once, at the update.
 */
import { input, type Value } from "../../compute/graph.ts";
import type { ModelConfig } from "../model/config.ts";
import { type ParameterSpec, parameterSpecs } from "../model/parameters.ts";
import { lossSum, modelParameters, type Precision } from "../model/transformer.ts";

export interface Objective {
  /** What is trained. Parameters of the graph that are not listed stay as they are. */
  readonly specs: readonly ParameterSpec[];
  /** The state leaves of `specs`, by name; others may be among them. */
  readonly params: ReadonlyMap<string, Value>;
  /** f32 scalar: the loss summed over units. */
  readonly loss: Value;
  /** f32 scalar: units; with none of them the step is skipped. */
  readonly count: Value;
  /** f32 scalars, sums like `loss`; reported divided by `count`. */
  readonly metrics?: Readonly<Record<string, Value>>;
}

export interface BatchShape {
  /** Rows and tokens of a row in one (micro-)batch. */
  readonly B: number;
  readonly T: number;
  readonly precision: Precision;
}

/** Next-token prediction in nats. Inputs `tokens`, `targets` i32 [B, T]; negative = ignored. */
export function languageModelling(
  config: ModelConfig,
  { B, T, precision }: BatchShape,
  params: ReadonlyMap<string, Value> = modelParameters(config),
): Objective {
  const tokens = input("tokens", [B, T], "i32");
  const targets = input("targets", [B, T], "i32");
  const { sum: loss, count } = lossSum(config, params, tokens, targets, precision);
  return { specs: parameterSpecs(config), params, loss, count };
}
