/**
 * Rotary position embedding, Hugging Face's half-split convention: dimension d pairs with d + D/2
 * and turns by the angle position · base^(-2d/D). @see Su et al. 2021
 */
import { apply, type Op, shapeError, type Value } from "../graph.ts";
import { checkFirst, firstOfRow } from "./position.ts";

interface Attrs {
  readonly base: number;
  /** Turn backwards: the gradient, since a rotation's transpose is its inverse. */
  readonly inverse: boolean;
}

export const ropeOp: Op<Attrs> = {
  name: "rope",
  kind: "kernel",
  infer: ([x, position]) => {
    if (x.shape.length !== 4 || x.shape[3] % 2 !== 0)
      throw shapeError("rope", "x must be [B, T, H, D] with even D", [x]);
    if (position !== undefined) checkFirst("rope", position, x.shape[0]);
    return [{ shape: x.shape, dtype: x.dtype }];
  },
  reference: ([x, position], [y], node) => {
    const [B, T, H, D] = node.inputs[0].shape;
    const half = D / 2;
    for (let b = 0; b < B; b++)
      for (let t = 0; t < T; t++)
        for (let d = 0; d < half; d++) {
          const at = t + (position === undefined ? 0 : firstOfRow(position, b));
          const angle = at * node.attrs.base ** (-d / half);
          const cos = Math.cos(angle);
          const sin = node.attrs.inverse ? -Math.sin(angle) : Math.sin(angle);
          for (let h = 0; h < H; h++) {
            const i = ((b * T + t) * H + h) * D + d;
            const [u, v] = [x[i], x[i + half]];
            y[i] = u * cos - v * sin;
            y[i + half] = v * cos + u * sin;
          }
        }
  },
  gradient: (node, [g]) => {
    const [, ...position] = node.inputs;
    const inverse = !node.attrs.inverse;
    return [apply(ropeOp, [g as Value, ...position], { ...node.attrs, inverse }), undefined];
  },
};

/**
 * @param x [B, T, H, D]
 * @param position i32 scalar or, one for each row, i32 [B]: position of t = 0; absent = 0
 * @returns [B, T, H, D], dtype of x  @throws SHAPE when D is odd
 */
export function rope(x: Value, base: number, position?: Value): Value {
  const inputs = position === undefined ? [x] : [x, position];
  return apply(ropeOp, inputs, { base, inverse: false });
}
