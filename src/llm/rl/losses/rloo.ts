/**
 * RLOO: a whole sample is one action. The ratio is that of the sample's probabilities, clipped as
 * in PPO; on the first pass it is 1 and the gradient is REINFORCE's, -A·∇ ln p(sample).
 *
 * @see Ahmadian et al. 2024, "Back to Basics"
 */
import type { Value } from "../../../compute/graph.ts";
import { sum } from "../../../compute/ops/broadcast.ts";
import { less, mul } from "../../../compute/ops/elementwise.ts";
import { reshape } from "../../../compute/ops/reshape.ts";
import { type ClipRange, clippedSurrogate } from "./clipped-ratio.ts";
import type { LossTerms } from "./policy-rows.ts";

export interface RlooInputs {
  readonly B: number;
  readonly T: number;
  /** f32 [N]. */
  readonly logprobs: Value;
  readonly oldLogprobs: Value;
  /** f32 [N]: 1 on sampled tokens. */
  readonly weight: Value;
  /** f32 [B]: above 0 for a sample, 0 for a row of padding. */
  readonly units: Value;
  /** f32 [B]. */
  readonly advantages: Value;
}

export function rlooLoss(inputs: RlooInputs, clip: ClipRange): LossTerms {
  const { B, T, weight, units, advantages } = inputs;
  const perSample = (x: Value): Value => sum(reshape(mul(weight, x), [B, T]), [1]);
  // A row's units may stand for silent samples too: they divide and do not multiply.
  const isSample = less(0, units);
  const { losses, metrics } = clippedSurrogate(
    {
      logprobs: perSample(inputs.logprobs),
      oldLogprobs: perSample(inputs.oldLogprobs),
      advantages,
      weight: isSample,
    },
    clip,
  );
  return { loss: sum(mul(isSample, losses)), metrics };
}
