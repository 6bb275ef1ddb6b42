/** What a model itself thinks of a token: log-softmax of one row of logits, in f64. */
import { NutshellError } from "../../error.ts";
import type { SampledToken } from "./token-engine.ts";

export type Alternative = NonNullable<SampledToken["top"]>[number];

/**
 * @param logits f32 [V]  @param count alternatives wanted
 * @returns ln p(id) in nats, and the likeliest ids, best first, equal ones by id
 * @throws DIVERGED when no logit is finite
 */
export function tokenLogprobs(
  logits: Float32Array,
  id: number,
  count: number,
): { readonly logprob: number; readonly top: readonly Alternative[] } {
  const norm = logSumExp(logits);
  const top = likeliest(logits, count).map((id) => ({
    id,
    logprob: (logits[id] as number) - norm,
  }));
  return { logprob: (logits[id] as number) - norm, top };
}

/** ln of the sum of e^x over what is a number. */
export function logSumExp(logits: Float32Array): number {
  let top = -Infinity;
  for (const x of logits) if (x > top) top = x;
  if (!Number.isFinite(top)) throw diverged(logits.length);
  let total = 0;
  for (const x of logits) if (x > -Infinity) total += Math.exp(x - top);
  return top + Math.log(total);
}

/** Ids of the `count` largest logits; one pass, since few are wanted of many. */
function likeliest(logits: Float32Array, count: number): number[] {
  const best: number[] = [];
  for (let id = 0; id < logits.length && count > 0; id++) {
    const x = logits[id] as number;
    if (!(x > -Infinity)) continue;
    if (best.length === count && !(x > (logits[best[count - 1] as number] as number))) continue;
    let at = best.length;
    while (at > 0 && x > (logits[best[at - 1] as number] as number)) at--;
    best.splice(at, 0, id);
    if (best.length > count) best.pop();
  }
  return best;
}

export const diverged = (V: number): NutshellError =>
  new NutshellError(
    "DIVERGED",
    `generate: one of ${V} logits must be finite, got none. ` +
      "The model's weights are not finite: use an earlier checkpoint.",
  );
