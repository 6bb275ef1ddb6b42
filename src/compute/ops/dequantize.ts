/**
 * A quantised matrix as numbers. It is how a graph names a weight that is kept quantised: products
 * (`linear`) and lookups (`embedding`) of such a value read the packed words and never make the
 * matrix; whatever else reads it gets the matrix.
 */
import {
  apply,
  type Data,
  type Op,
  sameType,
  shapeError,
  type TensorType,
  type Value,
} from "../graph.ts";
import { dequantizeRow, type MatrixShape, packedTypes, type QuantFormat } from "../quants.ts";

export interface QuantAttrs {
  readonly format: QuantFormat;
  /** Of the matrix, [R, C]. */
  readonly shape: MatrixShape;
}

/** @throws SHAPE when quants and scales are not those of such a matrix */
export function checkPacked(
  where: string,
  attrs: QuantAttrs,
  quants: TensorType,
  scales: TensorType,
): void {
  const types = packedTypes(attrs.format, attrs.shape);
  if (sameType(types.quants, quants) && sameType(types.scales, scales)) return;
  const matrix = `${attrs.format} [${attrs.shape.join(", ")}]`;
  throw shapeError(where, `quants and scales must be those of ${matrix}`, [quants, scales]);
}

/** (quants, scales, ids?) → f32 [R, C], or [...ids, C]; ids outside the matrix give zeros. */
export const dequantizeOp: Op<QuantAttrs> = {
  name: "dequantize",
  kind: "kernel",
  infer: ([quants, scales, ids], attrs) => {
    checkPacked("dequantize", attrs, quants, scales);
    if (ids !== undefined && ids.dtype !== "i32")
      throw shapeError("dequantize", "ids must be i32", [ids]);
    const [R, C] = attrs.shape;
    return [{ shape: ids === undefined ? [R, C] : [...ids.shape, C], dtype: "f32" }];
  },
  reference: ([quants, scales, ids], [out], { attrs }) => {
    const [R, C] = attrs.shape;
    const rows: Data | number[] = ids ?? Array.from({ length: R }, (_, r) => r);
    rows.forEach((row: number, i: number) => {
      if (row < 0 || row >= R) return;
      out.set(dequantizeRow(attrs.format, C, { quants, scales }, row), i * C);
    });
  },
  gradient: { none: "quantised weights are not trained" },
};

/** The matrix [R, C] that packed words stand for: a weight. */
export function dequantize(quants: Value, scales: Value, attrs: QuantAttrs): Value {
  return apply(dequantizeOp, [quants, scales], attrs);
}

/** What a value was made from, where it is a whole quantised matrix. */
export function packedOf(
  weight: Value,
): { quants: Value; scales: Value; attrs: QuantAttrs } | undefined {
  if (weight.node.op !== dequantizeOp || weight.node.inputs.length > 2) return undefined;
  const [quants, scales] = weight.node.inputs;
  return { quants, scales, attrs: weight.node.attrs };
}
