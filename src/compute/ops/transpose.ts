/** Transpose: output axis i is input axis `order[i]`. */
import { apply, type Op, shapeError, type Value } from "../graph.ts";
import { forEachOffset, stridesOf } from "../shape.ts";

export const transposeOp: Op<{ order: readonly number[] }> = {
  name: "transpose",
  kind: "view",
  infer: ([x], { order }) => {
    const sorted = [...order].sort((a, b) => a - b);
    if (order.length !== x.shape.length || sorted.some((axis, i) => axis !== i))
      throw shapeError("transpose", `order [${order.join(", ")}] must permute the axes`, [x]);
    return [{ shape: order.map((axis) => x.shape[axis]), dtype: x.dtype }];
  },
  reference: ([x], [out], node) => {
    const own = stridesOf(node.inputs[0].shape);
    const strides = node.attrs.order.map((axis) => own[axis]);
    forEachOffset(node.outputs[0].shape, strides, (i, from) => {
      out[i] = x[from];
    });
  },
  gradient: (node, [g]) => {
    const { order } = node.attrs;
    return [
      transpose(
        g as Value,
        order.map((_, axis) => order.indexOf(axis)),
      ),
    ];
  },
};

export function transpose(x: Value, order: readonly number[]): Value {
  return apply(transposeOp, [x], { order });
}
