/** Maximum and mean over any set of axes; reduced axes are dropped. */
import { apply, type Op, type Value } from "../graph.ts";
import { sizeOf } from "../shape.ts";
import { allAxes, type ReduceAttrs, reduceOp, spread, sum } from "./broadcast.ts";
import { div, equal, mul } from "./elementwise.ts";

/** The gradient of a maximum is shared by all elements that reach it. */
export const maxOp: Op<ReduceAttrs> = reduceOp("max", -Infinity, Math.max, (node, [g]) => {
  const [x] = node.inputs;
  const top = equal(x, spread(node, { node, index: 0, ...node.outputs[0] }));
  const shares = spread(node, sum(top, node.attrs.axes));
  return [mul(spread(node, g as Value), div(top, shares))];
});

export function max(x: Value, axes: readonly number[] = allAxes(x)): Value {
  return apply(maxOp, [x], { axes });
}

export function mean(x: Value, axes: readonly number[] = allAxes(x)): Value {
  return mul(sum(x, axes), 1 / sizeOf(axes.map((axis) => x.shape[axis])));
}
