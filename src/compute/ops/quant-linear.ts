/**
 * x · Wᵀ with W quantised: each weight is read once, as it is stored. `compute` is the precision
 * of a product of many rows, whose weights are unpacked as it goes; a product of few rows may
 * round x to no less than 15 bits in each block and adds exact products.
 */
import { apply, type DType, type Op, shapeError, type Value } from "../graph.ts";
import { dequantizeRow } from "../quants.ts";
import { checkPacked, type packedOf, type QuantAttrs } from "./dequantize.ts";

export interface QuantLinearAttrs extends QuantAttrs {
  readonly compute: "f32" | "bf16";
  /** Storage of the product. */
  readonly dtype: DType;
}

/** (x [N, C], quants, scales) → [N, R]. */
export const quantLinearOp: Op<QuantLinearAttrs> = {
  name: "quantLinear",
  kind: "kernel",
  infer: ([x, quants, scales], attrs) => {
    checkPacked("quantLinear", attrs, quants, scales);
    const [R, C] = attrs.shape;
    if (x.shape.length !== 2 || x.shape[1] !== C || x.dtype === "i32")
      throw shapeError("quantLinear", `x must be f32 or bf16 [N, ${C}]`, [x]);
    return [{ shape: [x.shape[0], R], dtype: attrs.dtype }];
  },
  reference: ([x, quants, scales], [out], { attrs }) => {
    const [R, C] = attrs.shape;
    for (let r = 0; r < R; r++) {
      const weights = dequantizeRow(attrs.format, C, { quants, scales }, r);
      for (let n = 0; n < x.length / C; n++) {
        let sum = 0;
        for (let c = 0; c < C; c++) sum += x[n * C + c] * weights[c];
        out[n * R + r] = sum;
      }
    }
  },
  gradient: { none: "quantised weights serve inference" },
};

/** @param x [N, C]  @returns [N, R]  @throws SHAPE when x has another depth */
export function quantLinear(
  x: Value,
  { quants, scales, attrs }: NonNullable<ReturnType<typeof packedOf>>,
  compute: "f32" | "bf16",
  dtype: DType,
): Value {
  return apply(quantLinearOp, [x, quants, scales], { ...attrs, compute, dtype });
}
