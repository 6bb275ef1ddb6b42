/**
 * What every policy loss starts from: padded rows of tokens and the policy's own log-probability
 * of each target. Position i of a row predicts token i + 1, and every array counts by i: `weight`,
 * advantages, old log-probabilities, values. B rows, T positions, N = B·T.
 *
 * Invariant: where a target is negative its log-probability is 0, and the host puts 0 there in
 * every other array; then each term is 0 and finite, and a batch without any target has loss 0.
 */
import { input, type Value } from "../../../compute/graph.ts";
import { sum } from "../../../compute/ops/broadcast.ts";
import { maximum, minimum, neg } from "../../../compute/ops/elementwise.ts";
import { linearCrossEntropy } from "../../../compute/ops/linear-cross-entropy.ts";
import { reshape } from "../../../compute/ops/reshape.ts";
import type { ModelConfig } from "../../model/config.ts";
import { hiddenStates, type Parameters } from "../../model/transformer.ts";
import type { BatchShape } from "../../optim/objective.ts";

export interface PolicyRows {
  readonly B: number;
  readonly T: number;
  /** f32 [N]: ln p(target) of the policy in training; 0 where there is no target. */
  readonly logprobs: Value;
  /** [N, C] after the last norm. */
  readonly hidden: Value;
  /** f32 [N]: what a token's loss counts; input `weight`. */
  readonly weight: Value;
  /** f32 scalar: what the summed loss is divided by; the sum of input `units` [B]. */
  readonly count: Value;
  /** Another f32 input [B, T], flattened to [N]. */
  readonly perToken: (name: string) => Value;
  /** Another f32 input [B]. */
  readonly perRow: (name: string) => Value;
}

/** Sums over tokens, each times its weight: the loss, and metrics beside it. */
export interface LossTerms {
  readonly loss: Value;
  readonly metrics: Readonly<Record<string, Value>>;
}

/** Inputs `tokens`, `targets` i32 [B, T]; `weight` f32 [B, T]; `units` f32 [B]. */
export function policyRows(
  config: ModelConfig,
  { B, T, precision }: BatchShape,
  params: Parameters,
): PolicyRows {
  const perToken = (name: string): Value => reshape(input(name, [B, T]), [B * T]);
  const targets = reshape(input("targets", [B, T], "i32"), [B * T]);
  const { hidden } = hiddenStates(config, params, input("tokens", [B, T], "i32"), { precision });
  // One pass through the network, since a value head may read `hidden` too.
  const head = config.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight";
  const nll = linearCrossEntropy(hidden, params.get(head) as Value, targets, precision);
  return {
    ...{ B, T, hidden, perToken },
    logprobs: neg(nll),
    weight: perToken("weight"),
    count: sum(input("units", [B])),
    perRow: (name) => input(name, [B]),
  };
}

/** Beyond e^20 a ratio says only that something broke; it must not become infinite. */
const MOST = 20;

export function clampLogRatio(x: Value): Value {
  return clamp(x, -MOST, MOST);
}

export function clamp(x: Value, low: number, high: number): Value {
  return minimum(maximum(x, low), high);
}
