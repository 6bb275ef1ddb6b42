/** Embedding: rows of a table picked by id; its gradient adds rows back where they came from. */
import { apply, type Op, type Shape, shapeError, type Value } from "../graph.ts";
import { dequantizeOp, packedOf } from "./dequantize.ts";
import { cast } from "./elementwise.ts";

/** (table [V, C], ids) → [...ids, C]. Ids outside the table are an error of the caller. */
export const embeddingOp: Op<null> = {
  name: "embedding",
  kind: "kernel",
  infer: ([table, ids]) => {
    if (table.shape.length !== 2 || table.dtype !== "f32" || ids.dtype !== "i32")
      throw shapeError("embedding", "table must be f32 [V, C] and ids i32", [table, ids]);
    return [{ shape: [...ids.shape, table.shape[1]], dtype: "f32" }];
  },
  reference: ([table, ids], [out], node) => {
    const C = node.inputs[0].shape[1];
    for (let i = 0; i < ids.length; i++)
      for (let c = 0; c < C; c++) out[i * C + c] = table[ids[i] * C + c];
  },
  gradient: (node, [g]) => {
    const [table, ids] = node.inputs;
    return [apply(embeddingGradOp, [ids, g as Value], { shape: table.shape }), undefined];
  },
};

/** (ids, dy [...ids, C]) → dTable [V, C]. */
export const embeddingGradOp: Op<{ shape: Shape }> = {
  name: "embeddingGrad",
  kind: "kernel",
  infer: (_, { shape }) => [{ shape, dtype: "f32" }],
  reference: ([ids, dy], [out], node) => {
    const C = node.attrs.shape[1];
    const totals = new Float64Array(out.length);
    for (let i = 0; i < ids.length; i++)
      for (let c = 0; c < C; c++) totals[ids[i] * C + c] += dy[i * C + c];
    out.set(totals);
  },
  gradient: { none: "a gradient rule; second derivatives are not taken" },
};

/**
 * @param table f32 [V, C], or quantised (`dequantize`): then only the rows asked for are unpacked
 * @param ids i32 [...]  @returns f32 [..., C]
 */
export function embedding(table: Value, ids: Value): Value {
  const packed = packedOf(table);
  if (packed === undefined) return apply(embeddingOp, [cast(table, "f32"), ids], null);
  return apply(dequantizeOp, [packed.quants, packed.scales, ids], packed.attrs);
}
