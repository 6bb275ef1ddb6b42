/**
 * Logits of the ids that may be drawn, -inf for all others: rules for a text reach a draw on the
 * device as one bit an id, so that its logits need not leave it.
 */
import { apply, type Op, shapeError, type Value } from "../graph.ts";
import { sameShape } from "../shape.ts";

/** (logits f32 [B, V], allowed i32 [B, ceil(V / 32)]) → f32 [B, V]. */
export const allowIdsOp: Op<null> = {
  name: "allowIds",
  kind: "kernel",
  infer: ([logits, allowed]) => {
    const [B, V = 0] = logits.shape;
    const isFit = allowed.dtype === "i32" && sameShape(allowed.shape, [B, Math.ceil(V / 32)]);
    if (logits.shape.length !== 2 || logits.dtype !== "f32" || !isFit)
      throw shapeError("allowIds", "logits f32 [B, V] and allowed i32 [B, ceil(V / 32)] must fit", [
        logits,
        allowed,
      ]);
    return [{ shape: logits.shape, dtype: "f32" }];
  },
  reference: ([logits, allowed], [out], node) => {
    const [B, V] = node.inputs[0].shape;
    const words = Math.ceil(V / 32);
    for (let b = 0; b < B; b++)
      for (let id = 0; id < V; id++) {
        const isAllowed = (allowed[b * words + (id >> 5)] >>> (id & 31)) & 1;
        out[b * V + id] = isAllowed ? logits[b * V + id] : -Infinity;
      }
  },
  gradient: { none: "inference only" },
};

/**
 * @param logits f32 [B, V]
 * @param allowed i32 [B, ceil(V / 32)]: id i is bit i % 32 of word i >> 5
 * @returns f32 [B, V]
 */
export function allowIds(logits: Value, allowed: Value): Value {
  return apply(allowIdsOp, [logits, allowed], null);
}
