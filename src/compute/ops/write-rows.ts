/**
 * Writes rows into a cache at a run-time position, in place: cache[b, first + t] = x[b, t].
 * This is how a KV cache grows.
 */
import { apply, type Op, shapeError, type Value } from "../graph.ts";
import { sameShape, sizeOf } from "../shape.ts";
import { cast } from "./elementwise.ts";

/** (cache [B, S, ...], x [B, T, ...], first i32 scalar) → cache. Needs first + T <= S. */
export const writeRowsOp: Op<null> = {
  name: "writeRows",
  kind: "kernel",
  infer: ([cache, x, first]) => {
    const tail = sameShape(cache.shape.slice(2), x.shape.slice(2));
    if (
      cache.shape[0] !== x.shape[0] ||
      !tail ||
      x.shape[1] > cache.shape[1] ||
      x.dtype !== cache.dtype ||
      first.dtype !== "i32"
    )
      throw shapeError(
        "writeRows",
        "x [B, T, ...] must fit into cache [B, S, ...], both of one dtype",
        [cache, x, first],
      );
    return [{ shape: cache.shape, dtype: cache.dtype }];
  },
  donates: { 0: 0 },
  reference: ([cache, x, first], [out], node) => {
    const [B, S] = node.inputs[0].shape;
    const T = node.inputs[1].shape[1];
    const row = sizeOf(node.inputs[0].shape.slice(2));
    out.set(cache);
    for (let b = 0; b < B; b++)
      for (let i = 0; i < T * row; i++) out[(b * S + first[0]) * row + i] = x[b * T * row + i];
  },
  gradient: { none: "a cache is written at inference only" },
};

/** @param x rows, stored like the cache: another dtype is cast */
export function writeRows(cache: Value, x: Value, first: Value): Value {
  return apply(writeRowsOp, [cache, cast(x, cache.dtype), first], null);
}
