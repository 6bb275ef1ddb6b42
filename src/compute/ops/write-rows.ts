/**
 * Writes rows into a cache at a run-time position, in place: cache[b, first + t] = x[b, t], or
 * cache[rows[b], first[b] + t] where each row of x has its own. This is how a KV cache grows. What
 * falls outside the cache is dropped, so that the padding of a last chunk needs no room.
 */
import { apply, type Op, shapeError, type Value } from "../graph.ts";
import { sameShape, sizeOf } from "../shape.ts";
import { cast } from "./elementwise.ts";
import { checkFirst, firstOfRow } from "./position.ts";

/** (cache [R, S, ...], x [B, T, ...], first i32 scalar or [B][, rows i32 [B]]) → cache. */
export const writeRowsOp: Op<null> = {
  name: "writeRows",
  kind: "kernel",
  infer: ([cache, x, first, rows]) => {
    const [B, T] = x.shape;
    const tail = sameShape(cache.shape.slice(2), x.shape.slice(2));
    const placed =
      rows === undefined
        ? cache.shape[0] === B
        : rows.dtype === "i32" && sameShape(rows.shape, [B]);
    if (!placed || !tail || T > cache.shape[1] || x.dtype !== cache.dtype)
      throw shapeError(
        "writeRows",
        "x [B, T, ...] must fit into cache [B, S, ...], both of one dtype",
        [cache, x, first],
      );
    checkFirst("writeRows", first, B);
    return [{ shape: cache.shape, dtype: cache.dtype }];
  },
  donates: { 0: 0 },
  reference: ([cache, x, first, rows], [out], node) => {
    const S = node.inputs[0].shape[1];
    const [B, T] = node.inputs[1].shape;
    const size = sizeOf(node.inputs[0].shape.slice(2));
    out.set(cache);
    for (let b = 0; b < B; b++)
      for (let t = 0; t < T; t++) {
        const [row, s] = [rows?.[b] ?? b, firstOfRow(first, b) + t];
        const from = (b * T + t) * size;
        if (s >= 0 && s < S) out.set(x.subarray(from, from + size), (row * S + s) * size);
      }
  },
  gradient: { none: "a cache is written at inference only" },
};

/**
 * @param x rows, stored like the cache: another dtype is cast
 * @param first i32 scalar or i32 [B]  @param rows i32 [B], all different; absent: b itself
 */
export function writeRows(cache: Value, x: Value, first: Value, rows?: Value): Value {
  const inputs = [cache, cast(x, cache.dtype), first];
  return apply(writeRowsOp, rows === undefined ? inputs : [...inputs, rows], null);
}
