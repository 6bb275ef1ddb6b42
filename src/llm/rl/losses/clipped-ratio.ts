/**
 * The clipped surrogate of PPO and its descendants: max(-A·ρ, -A·clip(ρ, 1-ε, 1+ε')), where
 * ρ = p / p_old. It takes away the reason to move a probability further once it has moved by ε.
 *
 * @see Schulman et al. 2017, eq. 7; Yu et al. 2025 (DAPO) for the wider upper bound ε'
 */
import type { Value } from "../../../compute/graph.ts";
import { sum } from "../../../compute/ops/broadcast.ts";
import { exp, less, maximum, mul, neg, sub } from "../../../compute/ops/elementwise.ts";
import { clamp, clampLogRatio } from "./policy-rows.ts";

/** All f32 of one shape: tokens, or whole sequences. */
export interface RatioInputs {
  readonly logprobs: Value;
  /** Of the policy that sampled. */
  readonly oldLogprobs: Value;
  readonly advantages: Value;
  readonly weight: Value;
}

export interface ClipRange {
  /** ε below and above 1. */
  readonly low: number;
  readonly high: number;
}

export interface Surrogate {
  /** Not yet weighted. */
  readonly losses: Value;
  /** Weighted sums. `k1`, `k3`: estimates of KL(old ‖ new), see Schulman 2020, "Approximating KL". */
  readonly metrics: Readonly<Record<"weight" | "ratio" | "clipped" | "k1" | "k3", Value>>;
}

export function clippedSurrogate(
  { logprobs, oldLogprobs, advantages, weight }: RatioInputs,
  { low, high }: ClipRange,
): Surrogate {
  const logRatio = clampLogRatio(sub(logprobs, oldLogprobs));
  const ratio = exp(logRatio);
  const gain = neg(advantages);
  const free = mul(gain, ratio);
  const clipped = mul(gain, clamp(ratio, 1 - low, 1 + high));
  const weighted = (x: Value): Value => sum(mul(weight, x));
  return {
    losses: maximum(free, clipped),
    metrics: {
      weight: sum(weight),
      ratio: weighted(ratio),
      clipped: weighted(less(free, clipped)),
      k1: neg(weighted(logRatio)),
      k3: weighted(sub(sub(ratio, 1), logRatio)),
    },
  };
}
