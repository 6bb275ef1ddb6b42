/** The sum of squares over any number of tensors: the global gradient norm, squared. */
import { apply, type Op, shapeError, type Value } from "../graph.ts";
import { cast } from "./elementwise.ts";

export const sumSquaresOp: Op<null> = {
  name: "sumSquares",
  kind: "kernel",
  infer: (inputs) => {
    if (inputs.some((x) => x.dtype !== "f32"))
      throw shapeError("sumSquares", "tensors must be f32", inputs);
    return [{ shape: [], dtype: "f32" }];
  },
  reference: (inputs, [out]) => {
    let total = 0;
    for (const x of inputs) for (let i = 0; i < x.length; i++) total += x[i] * x[i];
    out[0] = total;
  },
  gradient: { none: "used on gradients, after differentiation" },
};

export function sumSquares(tensors: readonly Value[]): Value {
  return apply(
    sumSquaresOp,
    tensors.map((x) => cast(x, "f32")),
    null,
  );
}
