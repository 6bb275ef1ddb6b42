/** Slice: a rectangular window; its gradient, `pad`, puts a window into zeros. */
import { apply, type Op, type Shape, shapeError, type Value } from "../graph.ts";
import { forEachOffset, stridesOf } from "../shape.ts";

interface SliceAttrs {
  readonly start: readonly number[];
  readonly shape: Shape;
}

const fits = (start: readonly number[], window: Shape, whole: Shape): boolean =>
  start.length === whole.length &&
  window.length === whole.length &&
  start.every((s, i) => s >= 0 && s + window[i] <= whole[i]);

const offsetOf = (start: readonly number[], whole: Shape): number => {
  const strides = stridesOf(whole);
  return start.reduce((offset, s, axis) => offset + s * strides[axis], 0);
};

export const sliceOp: Op<SliceAttrs> = {
  name: "slice",
  kind: "view",
  infer: ([x], { start, shape }) => {
    if (!fits(start, shape, x.shape))
      throw shapeError("slice", `window [${shape.join(", ")}] at [${start.join(", ")}] must fit`, [
        x,
      ]);
    return [{ shape, dtype: x.dtype }];
  },
  reference: ([x], [out], node) => {
    const whole = node.inputs[0].shape;
    const base = offsetOf(node.attrs.start, whole);
    forEachOffset(node.attrs.shape, stridesOf(whole), (i, from) => {
      out[i] = x[base + from];
    });
  },
  gradient: (node, [g]) => [pad(g as Value, node.attrs.start, node.inputs[0].shape)],
};

/** Puts x into zeros of `shape`, its first element at `start`. */
export const padOp: Op<SliceAttrs> = {
  name: "pad",
  kind: "kernel",
  infer: ([x], { start, shape }) => {
    if (!fits(start, x.shape, shape))
      throw shapeError(
        "pad",
        `tensor must fit into [${shape.join(", ")}] at [${start.join(", ")}]`,
        [x],
      );
    return [{ shape, dtype: x.dtype }];
  },
  reference: ([x], [out], node) => {
    const { start, shape } = node.attrs;
    out.fill(0);
    const base = offsetOf(start, shape);
    forEachOffset(node.inputs[0].shape, stridesOf(shape), (i, to) => {
      out[base + to] = x[i];
    });
  },
  gradient: (node, [g]) => [slice(g as Value, node.attrs.start, node.inputs[0].shape)],
};

export function slice(x: Value, start: readonly number[], shape: Shape): Value {
  return apply(sliceOp, [x], { start, shape });
}

export function pad(x: Value, start: readonly number[], shape: Shape): Value {
  return apply(padOp, [x], { start, shape });
}
