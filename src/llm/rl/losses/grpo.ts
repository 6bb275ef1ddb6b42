/**
 * GRPO: the clipped surrogate with one advantage for all tokens of a sample, and KL to the
 * reference inside the loss: β·(e^d - d - 1), d = ln p_ref - ln p, which is unbiased and never
 * negative. How tokens and samples are averaged (grpo, dr_grpo, dapo) lies in the weights.
 *
 * @see Shao et al. 2024 (DeepSeekMath), eq. 3 and 4
 */
import type { Value } from "../../../compute/graph.ts";
import { sum } from "../../../compute/ops/broadcast.ts";
import { add, exp, mul, sub } from "../../../compute/ops/elementwise.ts";
import { type ClipRange, clippedSurrogate, type RatioInputs } from "./clipped-ratio.ts";
import { clampLogRatio, type LossTerms } from "./policy-rows.ts";

export interface GrpoInputs extends RatioInputs {
  /** f32 [N]; absent: no KL in the loss. */
  readonly referenceLogprobs?: Value;
  /** f32 scalar; a graph input, so that a controller may change it. */
  readonly beta?: Value;
}

export function grpoLoss(inputs: GrpoInputs, clip: ClipRange): LossTerms {
  const { losses, metrics } = clippedSurrogate(inputs, clip);
  const { weight, logprobs, referenceLogprobs, beta } = inputs;
  const loss = sum(mul(weight, losses));
  if (referenceLogprobs === undefined || beta === undefined) return { loss, metrics };
  const d = clampLogRatio(sub(referenceLogprobs, logprobs));
  const kl = sum(mul(weight, sub(sub(exp(d), d), 1)));
  return { loss: add(loss, mul(beta, kl)), metrics: { ...metrics, referenceKl: kl } };
}
