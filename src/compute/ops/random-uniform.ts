/** Uniform numbers in [0, 1) by Philox, a function of (seed, stream, counter, position). */
import { apply, type Op, type Shape, shapeError, type Value } from "../graph.ts";
import { philox, toUnit } from "../philox.ts";

interface Attrs {
  readonly shape: Shape;
  readonly seed: number;
  readonly stream: number;
}

/** (counter i32 scalar, usually the step) → f32 `shape`. */
export const randomUniformOp: Op<Attrs> = {
  name: "randomUniform",
  kind: "kernel",
  infer: ([counter], { shape }) => {
    if (counter.dtype !== "i32")
      throw shapeError("randomUniform", "counter must be i32", [counter]);
    return [{ shape, dtype: "f32" }];
  },
  reference: ([counter], [out], node) => {
    const { seed, stream } = node.attrs;
    for (let i = 0; i < out.length; i += 4) {
      const words = philox([i / 4, 0, stream >>> 0, counter[0] >>> 0], [seed >>> 0, 0]);
      for (let k = 0; k < 4 && i + k < out.length; k++) out[i + k] = toUnit(words[k]);
    }
  },
  gradient: { none: "random numbers depend on no float" },
};

export function randomUniform(shape: Shape, seed: number, stream: number, counter: Value): Value {
  return apply(randomUniformOp, [counter], { shape, seed, stream });
}
