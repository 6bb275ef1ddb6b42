/**
 * RMSNorm over the last axis: y = x · w / sqrt(mean(x²) + eps).
 * @see Zhang & Sennrich 2019
 */
import { apply, applyAll, type DType, type Op, shapeError, type Value } from "../graph.ts";
import { rowsAndColumns } from "../shape.ts";

interface Attrs {
  readonly eps: number;
  readonly dtype: DType;
}

export const rmsNormOp: Op<Attrs> = {
  name: "rmsNorm",
  kind: "kernel",
  infer: ([x, w], { dtype }) => {
    const [rows, C] = rowsAndColumns(x.shape);
    if (w.dtype !== "f32" || w.shape.length !== 1 || w.shape[0] !== C)
      throw shapeError("rmsNorm", "gain must be one f32 vector of the last axis's length", [x, w]);
    return [
      { shape: x.shape, dtype },
      { shape: [rows], dtype: "f32" },
    ];
  },
  reference: ([x, w], [y, scale], node) => {
    const [rows, C] = rowsAndColumns(node.inputs[0].shape);
    for (let r = 0; r < rows; r++) {
      let squares = 0;
      for (let c = 0; c < C; c++) squares += x[r * C + c] ** 2;
      scale[r] = 1 / Math.sqrt(squares / C + node.attrs.eps);
      for (let c = 0; c < C; c++) y[r * C + c] = x[r * C + c] * scale[r] * w[c];
    }
  },
  gradient: (node, [g, gScale]) => {
    if (gScale !== undefined)
      throw shapeError("rmsNorm", "the scale output carries no gradient", [gScale]);
    const [x, w] = node.inputs;
    const scale: Value = { node, index: 1, ...node.outputs[1] };
    const [dx, dw] = applyAll(rmsNormGradOp, [x, w, scale, g as Value], null);
    return [dx, dw];
  },
};

/** (x, w, scale, dy[, residual]) → (dx + residual, dw). */
export const rmsNormGradOp: Op<null> = {
  name: "rmsNormGrad",
  kind: "kernel",
  infer: ([x, w]) => [
    { shape: x.shape, dtype: "f32" },
    { shape: w.shape, dtype: "f32" },
  ],
  reference: ([x, w, scale, dy, residual], [dx, dw], node) => {
    const [rows, C] = rowsAndColumns(node.inputs[0].shape);
    const totals = new Float64Array(C);
    for (let r = 0; r < rows; r++) {
      const s = scale[r];
      let dot = 0;
      for (let c = 0; c < C; c++) {
        const i = r * C + c;
        dot += dy[i] * w[c] * x[i];
        totals[c] += dy[i] * x[i] * s;
      }
      for (let c = 0; c < C; c++) {
        const i = r * C + c;
        dx[i] = s * (dy[i] * w[c] - (x[i] * s * s * dot) / C) + (residual?.[i] ?? 0);
      }
    }
    dw.set(totals);
  },
  gradient: { none: "a gradient rule; second derivatives are not taken" },
};

/**
 * @param x [..., C]  @param gain [C]  @returns [..., C] stored as `dtype`; the mean is f32
 * @throws SHAPE when the gain's length is not C
 */
export function rmsNorm(x: Value, gain: Value, eps: number, dtype: DType = "f32"): Value {
  return apply(rmsNormOp, [x, gain], { eps, dtype });
}
