/**
 * DPO: -ln σ(h), h = β·[(ln p - ln p_ref)(chosen) - (ln p - ln p_ref)(rejected)]. Rows 2i and
 * 2i + 1 are the chosen and the rejected text of pair i. Label smoothing ε takes a label to be
 * wrong with probability ε.
 *
 * @see Rafailov et al. 2023; Mitchell 2023 (conservative DPO) for ε
 */
import type { Value } from "../../../compute/graph.ts";
import { sum } from "../../../compute/ops/broadcast.ts";
import { abs, add, exp, less, log, mul, neg, sub } from "../../../compute/ops/elementwise.ts";
import { reshape } from "../../../compute/ops/reshape.ts";
import { slice } from "../../../compute/ops/slice.ts";
import type { LossTerms } from "./policy-rows.ts";

export interface DpoInputs {
  /** Rows, two a pair. */
  readonly B: number;
  readonly T: number;
  /** f32 [N]. */
  readonly logprobs: Value;
  /** f32 [N]: 1 on the texts' own tokens. */
  readonly weight: Value;
  /** f32 [B]: the reference's log-probability of each text, summed over its tokens. */
  readonly referenceLogprobs: Value;
  /** f32 [B]: ½ on both rows of a pair, 0 on padding. */
  readonly units: Value;
}

export interface DpoOptions {
  readonly beta: number;
  readonly labelSmoothing: number;
}

export function dpoLoss(inputs: DpoInputs, { beta, labelSmoothing }: DpoOptions): LossTerms {
  const { B, T, logprobs, weight, referenceLogprobs, units } = inputs;
  const logRatio = sub(sum(reshape(mul(weight, logprobs), [B, T]), [1]), referenceLogprobs);
  const h = mul(beta, sub(side(logRatio, B, 0), side(logRatio, B, 1)));
  const pairs = add(side(units, B, 0), side(units, B, 1));
  const right = mul(1 - labelSmoothing, minusLogSigmoid(h));
  const wrong = mul(labelSmoothing, minusLogSigmoid(neg(h)));
  return {
    loss: sum(mul(pairs, add(right, wrong))),
    metrics: {
      weight: sum(pairs),
      accuracy: sum(mul(pairs, less(0, h))),
      margin: sum(mul(pairs, h)),
    },
  };
}

/** Every second number of x [B] → [B / 2]. */
function side(x: Value, B: number, which: 0 | 1): Value {
  return reshape(slice(reshape(x, [B / 2, 2]), [0, which], [B / 2, 1]), [B / 2]);
}

/**
 * ln(1 + e^-x) without overflow. The first half is max(-x, 0) written with |x|, whose derivative at
 * 0 is 0: so the whole has its right slope of -½ there, where a policy that is still its own
 * reference starts from.
 */
function minusLogSigmoid(x: Value): Value {
  const size = abs(x);
  return add(mul(0.5, sub(size, x)), log(add(1, exp(neg(size)))));
}
