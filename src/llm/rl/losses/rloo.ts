/**
 * RLOO: a whole sample is one action. The ratio is that of the sample's probabilities, clipped as
 * in PPO; on the first pass it is 1 and the gradient is REINFORCE's, -A·∇ ln p(sample).
 *
 * @see Ahmadian et al. 2024, "Back to Basics"
 */
import type { Value } from "../../../compute/graph.ts";
import { sum } from "../../../compute/ops/broadcast.ts";
import { mul } from "../../../compute/ops/elementwise.ts";
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
  /** f32 [B]: 1 a sample, 0 a row of padding. */
  readonly units: Value;
  /** f32 [B]. */
  readonly advantages: Value;
}

export function rlooLoss(inputs: RlooInputs, clip: ClipRange): LossTerms {
  const { B, T, weight, units, advantages } = inputs;
  const perSample = (x: Value): Value => sum(reshape(mul(weight, x), [B, T]), [1]);
  const { losses, metrics } = clippedSurrogate(
    {
      logprobs: perSample(inputs.logprobs),
      oldLogprobs: perSample(inputs.oldLogprobs),
      advantages,
      weight: units,
    },
    clip,
  );
  return { loss: sum(mul(units, losses)), metrics };
}
