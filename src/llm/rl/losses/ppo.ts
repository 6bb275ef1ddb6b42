/**
 * PPO: the clipped surrogate on tokens and, with it, the value head's clipped squared error.
 * KL to the reference is no part of it: it is in the rewards that the advantages come from.
 *
 * @see Schulman et al. 2017; Ouyang et al. 2022 (InstructGPT), appendix C.4
 */
import type { Value } from "../../../compute/graph.ts";
import { sum } from "../../../compute/ops/broadcast.ts";
import { add, less, maximum, mul, sub } from "../../../compute/ops/elementwise.ts";
import { type ClipRange, clippedSurrogate, type RatioInputs } from "./clipped-ratio.ts";
import { clamp, type LossTerms } from "./policy-rows.ts";

/** All f32 [N]. */
export function ppoPolicyLoss(inputs: RatioInputs, clip: ClipRange): LossTerms {
  const { losses, metrics } = clippedSurrogate(inputs, clip);
  return { loss: sum(mul(inputs.weight, losses)), metrics };
}

/** All f32 [N]. */
export interface ValueInputs {
  readonly values: Value;
  /** Of the value head when the rollout was scored. */
  readonly oldValues: Value;
  /** What the values should have been: advantage + old value. */
  readonly returns: Value;
  readonly weight: Value;
}

/** ½ Σ w·max((V - R)², (V_old + clip(V - V_old, ±c) - R)²). */
export function valueLoss(
  { values, oldValues, returns, weight }: ValueInputs,
  clip: number,
): LossTerms {
  const near = add(oldValues, clamp(sub(values, oldValues), -clip, clip));
  const [free, clipped] = [square(sub(values, returns)), square(sub(near, returns))];
  return {
    loss: mul(0.5, sum(mul(weight, maximum(free, clipped)))),
    metrics: {
      valueError: sum(mul(weight, free)),
      valueClipped: sum(mul(weight, less(free, clipped))),
    },
  };
}

function square(x: Value): Value {
  return mul(x, x);
}
