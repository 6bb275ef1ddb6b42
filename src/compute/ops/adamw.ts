/**
 * AdamW, in place: m ← β1 m + (1-β1) g, v ← β2 v + (1-β2) g²,
 * p ← p - lr (m̂ / (sqrt(v̂) + eps) + decay p), with bias-corrected m̂ and v̂.
 * The step's scalars come as one vector, so that one program serves every step:
 * [learning rate, gradient scale, 1 - β1^t, 1 - β2^t, apply]; apply = 0 leaves everything as it is.
 * @see Loshchilov & Hutter 2019
 */
import { applyAll, type Op, shapeError, type Value } from "../graph.ts";
import { sameShape } from "../shape.ts";

interface Attrs {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weightDecay: number;
  /** Multiplies the step's learning rate: per-group rates. */
  readonly lrScale: number;
}

export const adamwOp: Op<Attrs> = {
  name: "adamw",
  kind: "kernel",
  infer: ([p, g, m, v, scalars]) => {
    const floats = [p, g, m, v, scalars].every((x) => x.dtype === "f32");
    const fits = [g, m, v].every((x) => sameShape(x.shape, p.shape));
    if (!floats || !fits || !sameShape(scalars.shape, [5]))
      throw shapeError("adamw", "parameter, gradient and moments must be f32 of one shape", [
        p,
        g,
        m,
        v,
        scalars,
      ]);
    return [p, m, v].map(({ shape, dtype }) => ({ shape, dtype }));
  },
  donates: { 0: 0, 1: 2, 2: 3 },
  reference: ([p, g, m, v, scalars], [p1, m1, v1], node) => {
    const [lr, gradScale, correction1, correction2, enabled] = scalars;
    const { beta1, beta2, eps, weightDecay, lrScale } = node.attrs;
    for (let i = 0; i < p.length; i++) {
      const gradient = g[i] * gradScale;
      const first = enabled ? beta1 * m[i] + (1 - beta1) * gradient : m[i];
      const second = enabled ? beta2 * v[i] + (1 - beta2) * gradient * gradient : v[i];
      const update = first / correction1 / (Math.sqrt(second / correction2) + eps);
      p1[i] = enabled ? p[i] - lr * lrScale * (update + weightDecay * p[i]) : p[i];
      m1[i] = first;
      v1[i] = second;
    }
  },
  gradient: { none: "an optimizer step" },
};

/**
 * @param p parameter  @param g gradient  @param m, v moments, all of one shape
 * @param scalars f32 [5], see above  @returns the new [p, m, v], over the old storage
 */
export function adamw(
  p: Value,
  g: Value,
  m: Value,
  v: Value,
  scalars: Value,
  attrs: Attrs,
): Value[] {
  return applyAll(adamwOp, [p, g, m, v, scalars], attrs);
}
