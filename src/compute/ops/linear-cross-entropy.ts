/**
 * Output head and cross-entropy in one op: nll[n] = logSumExp(x[n]·Wᵀ) - (x[n]·Wᵀ)[target[n]], in
 * nats, 0 where target is negative. Compiled backends take rows in chunks, so that the logits of a
 * batch never exist; the gradient op makes the loss again on its way, and compilers then drop the
 * forward op. @see Wijmans et al. 2024 (cut cross-entropy)
 */
import { apply, applyAll, type Data, type Op, shapeError, type Value } from "../graph.ts";
import { roundBf16 } from "../numbers.ts";

export interface LinearCrossEntropyAttrs {
  readonly compute: "f32" | "bf16";
}

type Reader = (x: Data) => Data;
const reader =
  (compute: "f32" | "bf16"): Reader =>
  (x) =>
    compute === "f32" || x instanceof Float64Array ? x : Float32Array.from(x, roundBf16);

/** Probabilities of row n in `p`; returns its log-sum-exp. */
function softmaxRow(x: Data, w: Data, n: number, C: number, p: Float64Array): number {
  let top = -Infinity;
  for (let v = 0; v < p.length; v++) {
    let logit = 0;
    for (let c = 0; c < C; c++) logit += x[n * C + c] * w[v * C + c];
    p[v] = logit;
    top = Math.max(top, logit);
  }
  let total = 0;
  for (let v = 0; v < p.length; v++) total += Math.exp(p[v] - top);
  const lse = top + Math.log(total);
  return lse;
}

/** (x [N, C], W [V, C], targets i32 [N]) → nll [N]. */
export const linearCrossEntropyOp: Op<LinearCrossEntropyAttrs> = {
  name: "linearCrossEntropy",
  kind: "kernel",
  infer: ([x, w, targets]) => {
    const fits = x.shape.length === 2 && w.shape.length === 2 && x.shape[1] === w.shape[1];
    if (!fits || targets.dtype !== "i32" || targets.shape[0] !== x.shape[0])
      throw shapeError("linearCrossEntropy", "x [N, C], W [V, C], i32 targets [N] must fit", [
        x,
        w,
        targets,
      ]);
    return [{ shape: targets.shape, dtype: "f32" }];
  },
  reference: ([x0, w0, targets], [nll], node) => {
    const [x, w] = [x0, w0].map(reader(node.attrs.compute));
    const [V, C] = node.inputs[1].shape;
    const logits = new Float64Array(V);
    for (let n = 0; n < targets.length; n++)
      nll[n] = targets[n] < 0 ? 0 : softmaxRow(x, w, n, C, logits) - logits[targets[n]];
  },
  gradient: (node, [g]) => {
    const [, dx, dw] = applyAll(linearCrossEntropyGradOp, [...node.inputs, g as Value], node.attrs);
    return [dx, dw, undefined];
  },
};

/** (x, W, targets, dNll [N]) → (nll, dx, dW). */
export const linearCrossEntropyGradOp: Op<LinearCrossEntropyAttrs> = {
  name: "linearCrossEntropyGrad",
  kind: "kernel",
  infer: ([x, w, targets]) => [
    { shape: targets.shape, dtype: "f32" },
    { shape: x.shape, dtype: "f32" },
    { shape: w.shape, dtype: "f32" },
  ],
  reference: ([x0, w0, targets, g], [nll, dx, dw], node) => {
    const [x, w] = [x0, w0].map(reader(node.attrs.compute));
    const [V, C] = node.inputs[1].shape;
    const logits = new Float64Array(V);
    const totals = new Float64Array(dw.length);
    dx.fill(0);
    for (let n = 0; n < targets.length; n++) {
      nll[n] = 0;
      if (targets[n] < 0) continue;
      const lse = softmaxRow(x, w, n, C, logits);
      nll[n] = lse - logits[targets[n]];
      const row = new Float64Array(C);
      for (let v = 0; v < V; v++) {
        const d = g[n] * (Math.exp(logits[v] - lse) - (v === targets[n] ? 1 : 0));
        for (let c = 0; c < C; c++) {
          row[c] += d * w[v * C + c];
          totals[v * C + c] += d * x[n * C + c];
        }
      }
      dx.set(row, n * C);
    }
    dw.set(totals);
  },
  gradient: { none: "a gradient rule; second derivatives are not taken" },
};

/**
 * @param x [N, C]  @param weight [V, C]  @param targets i32 [N], negative = ignored
 * @returns f32 [N], nats
 */
export function linearCrossEntropy(
  x: Value,
  weight: Value,
  targets: Value,
  compute: "f32" | "bf16",
): Value {
  return apply(linearCrossEntropyOp, [x, weight, targets], { compute });
}
