/** Reshape: the same elements in the same order under another shape. Never copies. */
import { apply, type Op, type Shape, shapeError, type Value } from "../graph.ts";
import { sameShape, sizeOf } from "../shape.ts";

export const reshapeOp: Op<{ shape: Shape }> = {
  name: "reshape",
  kind: "view",
  infer: ([x], { shape }) => {
    if (sizeOf(x.shape) !== sizeOf(shape))
      throw shapeError("reshape", `element count must equal that of [${shape.join(", ")}]`, [x]);
    return [{ shape, dtype: x.dtype }];
  },
  reference: ([x], [out]) => out.set(x),
  gradient: (node, [g]) => [reshape(g as Value, node.inputs[0].shape)],
};

export function reshape(x: Value, shape: Shape): Value {
  return sameShape(x.shape, shape) ? x : apply(reshapeOp, [x], { shape });
}
