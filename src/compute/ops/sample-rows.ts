/**
 * Draws one token a row from softmax(logits / temperature), and says how likely the model itself
 * (temperature 1) found it: a batch of texts decodes without its logits ever leaving the device.
 * The random numbers come from the caller.
 */
import { applyAll, type Data, type Op, shapeError, type Value } from "../graph.ts";
import { sameShape } from "../shape.ts";

/** Below it a temperature is 0: the likeliest token. */
const COLDEST = 1e-6;

/** Weights e^((x - top) / temperature), the likeliest has 1; NaN is never chosen. */
const weightsOf = (x: Data, top: number, temperature: number): Float64Array =>
  Float64Array.from(x, (logit) => (logit > -Infinity ? Math.exp((logit - top) / temperature) : 0));

function draw(weights: Float64Array, uniform: number): number {
  let left = uniform * weights.reduce((a, b) => a + b, 0);
  let last = 0;
  for (let id = 0; id < weights.length; id++) {
    if (weights[id] === 0) continue;
    last = id;
    left -= weights[id];
    if (left < 0) break;
  }
  return last; // What rounding leaves behind the last candidate belongs to it.
}

/** Log-probability of a token, and the entropy, at temperature 1. */
function measure(x: Data, top: number, id: number): [logprob: number, entropy: number] {
  let [total, weighted] = [0, 0];
  for (const logit of x) {
    if (!(logit > -Infinity)) continue;
    const p = Math.exp(logit - top);
    total += p;
    weighted += p * (logit - top);
  }
  return [x[id] - top - Math.log(total), Math.log(total) - weighted / total];
}

/**
 * (logits f32 [B, V], uniform f32 [B], temperature f32 [B], limit i32 scalar) → (id i32 [B],
 * logprob f32 [B], entropy f32 [B]).
 */
export const sampleRowsOp: Op<null> = {
  name: "sampleRows",
  kind: "kernel",
  infer: (types) => {
    const [logits, uniform, temperature, limit] = types;
    const [B] = logits.shape;
    const perRow = [uniform, temperature].every(
      (x) => x.dtype === "f32" && sameShape(x.shape, [B]),
    );
    const scalar = limit.dtype === "i32" && limit.shape.length === 0;
    if (logits.shape.length !== 2 || logits.dtype !== "f32" || !perRow || !scalar)
      throw shapeError(
        "sampleRows",
        "logits f32 [B, V], uniform and temperature f32 [B], limit i32 must fit",
        types,
      );
    const shape = [B];
    return [
      { shape, dtype: "i32" },
      { shape, dtype: "f32" },
      { shape, dtype: "f32" },
    ];
  },
  reference: ([logits, uniform, temperature, limit], [ids, logprobs, entropies], node) => {
    const [B, V] = node.inputs[0].shape;
    for (let b = 0; b < B; b++) {
      const x = logits.subarray(b * V, b * V + Math.min(V, limit[0]));
      let top = -Infinity;
      for (const logit of x) if (logit > top) top = logit;
      const finite = Number.isFinite(top);
      const cold = temperature[b] < COLDEST;
      const choose = (): number =>
        cold ? x.indexOf(top) : draw(weightsOf(x, top, temperature[b]), uniform[b]);
      ids[b] = finite ? choose() : -1;
      [logprobs[b], entropies[b]] = finite ? measure(x, top, ids[b]) : [0, 0];
    }
  },
  gradient: { none: "a draw is a step" },
};

/**
 * @param logits f32 [B, V]  @param uniform f32 [B] in [0, 1)
 * @param temperature f32 [B]; below 1e-6: the likeliest, the smaller of equal ids
 * @param limit i32 scalar: ids below it are drawn, and are what probabilities are over
 * @returns id [B], -1 where no logit is finite or one is +inf; logprob and entropy [B] in nats
 */
export function sampleRows(
  logits: Value,
  uniform: Value,
  temperature: Value,
  limit: Value,
): { id: Value; logprob: Value; entropy: Value } {
  const [id, logprob, entropy] = applyAll(
    sampleRowsOp,
    [logits, uniform, temperature, limit],
    null,
  );
  return { id, logprob, entropy };
}
