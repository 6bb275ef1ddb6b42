/**
 * REINFORCE on tokens: -Σ w·A·ln p. There is no ratio and no clipping, so each rollout is used
 * once. With every advantage 1 this is the log-likelihood that best-of-n and STaR maximise.
 *
 * @see Williams 1992; nanochat's `scripts/chat_rl.py`
 */
import type { Value } from "../../../compute/graph.ts";
import { sum } from "../../../compute/ops/broadcast.ts";
import { mul, neg } from "../../../compute/ops/elementwise.ts";
import type { LossTerms } from "./policy-rows.ts";

/** All f32 [N]. */
export interface PolicyGradientInputs {
  readonly logprobs: Value;
  readonly advantages: Value;
  readonly weight: Value;
}

export function policyGradientLoss({
  logprobs,
  advantages,
  weight,
}: PolicyGradientInputs): LossTerms {
  return {
    loss: neg(sum(mul(weight, mul(advantages, logprobs)))),
    metrics: { weight: sum(weight), nll: neg(sum(mul(weight, logprobs))) },
  };
}
