/**
 * Broadcast and sum, each the other's gradient: one repeats a tensor along axes (NumPy's rule), the
 * other adds those axes up again. Reduced axes are dropped; sums are taken in f32.
 */
import {
  apply,
  type Data,
  type Node,
  type Op,
  type Shape,
  shapeError,
  type Value,
} from "../graph.ts";
import { broadcastShape, broadcastStrides, forEachOffset, sameShape, stridesOf } from "../shape.ts";
import { reshape } from "./reshape.ts";

export const broadcastOp: Op<{ shape: Shape }> = {
  name: "broadcast",
  kind: "view",
  infer: ([x], { shape }) => {
    const joined = broadcastShape(x.shape, shape);
    if (joined === undefined || !sameShape(joined, shape))
      throw shapeError("broadcast", `shape must extend to [${shape.join(", ")}]`, [x]);
    return [{ shape, dtype: x.dtype }];
  },
  reference: ([x], [out], node) => {
    const { shape } = node.attrs;
    forEachOffset(shape, broadcastStrides(node.inputs[0].shape, shape), (i, from) => {
      out[i] = x[from];
    });
  },
  gradient: (node, [g]) => [sumTo(g as Value, node.inputs[0].shape)],
};

export function broadcastTo(x: Value, shape: Shape): Value {
  return sameShape(x.shape, shape) ? x : apply(broadcastOp, [x], { shape });
}

export interface ReduceAttrs {
  readonly axes: readonly number[];
}
type Combine = (a: number, b: number) => number;

const keptShape = (node: Node<ReduceAttrs>): number[] =>
  node.inputs[0].shape.map((n, axis) => (node.attrs.axes.includes(axis) ? 1 : n));

/** Repeats a reduced tensor back to the shape of the reduction's input. */
export const spread = (node: Node<ReduceAttrs>, y: Value): Value =>
  broadcastTo(reshape(y, keptShape(node)), node.inputs[0].shape);

function reduceInto(x: Data, out: Data, node: Node<ReduceAttrs>, start: number, f: Combine): void {
  const kept = keptShape(node);
  const strides = stridesOf(kept).map((s, axis) => (kept[axis] === 1 ? 0 : s));
  const totals = new Float64Array(out.length).fill(start);
  forEachOffset(node.inputs[0].shape, strides, (i, to) => {
    totals[to] = f(totals[to], x[i]);
  });
  out.set(totals);
}

/** A reduction: its identity element, how two numbers combine, its gradient. */
export function reduceOp(
  name: string,
  start: number,
  combine: Combine,
  gradient: Op<ReduceAttrs>["gradient"],
): Op<ReduceAttrs> {
  return {
    name,
    kind: "kernel",
    infer: ([x], { axes }) => {
      if (axes.some((axis) => axis < 0 || axis >= x.shape.length))
        throw shapeError(name, `axes [${axes.join(", ")}] must exist`, [x]);
      return [{ shape: x.shape.filter((_, axis) => !axes.includes(axis)), dtype: "f32" }];
    },
    reference: ([x], [out], node) => reduceInto(x, out, node, start, combine),
    gradient,
  };
}

export const sumOp: Op<ReduceAttrs> = reduceOp(
  "sum",
  0,
  (a, b) => a + b,
  (node, [g]) => [spread(node, g as Value)],
);

export const allAxes = (x: Value): number[] => x.shape.map((_, axis) => axis);

export function sum(x: Value, axes: readonly number[] = allAxes(x)): Value {
  return apply(sumOp, [x], { axes });
}

/** Sums a broadcast tensor back to the shape that it came from. */
export function sumTo(x: Value, shape: Shape): Value {
  const strides = broadcastStrides(shape, x.shape);
  const axes = strides.flatMap((s, axis) => (s === 0 && x.shape[axis] !== 1 ? [axis] : []));
  return reshape(axes.length > 0 ? sum(x, axes) : x, shape);
}
