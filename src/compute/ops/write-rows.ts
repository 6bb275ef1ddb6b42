/**
 * Writes rows into a cache at run-time positions, in place: cache[b, first + t] = x[b, t], or the
 * slot of position first[b] + t where each text has pages of its own. This is how a KV cache grows.
 * What falls outside the cache or into a missing page is dropped, so that the padding of a last
 * chunk needs no room.
 */
import { apply, type Op, shapeError, type TensorType, type Value } from "../graph.ts";
import { sameShape, sizeOf } from "../shape.ts";
import { cast } from "./elementwise.ts";
import { checkFirst, firstOfRow, type PageSizes, pageSizes, slotOf } from "./position.ts";

/** @throws SHAPE when x, the positions or the page table do not fit */
export function writeRowsSizes([cache, x, first, pages]: readonly TensorType[]): PageSizes {
  const [B, T] = x.shape;
  const tail = sameShape(cache.shape.slice(2), x.shape.slice(2));
  const batch = pages !== undefined || cache.shape[0] === B;
  const rule = "x [B, T, ...] must fit into cache [B, S, ...], both of one dtype";
  if (!batch || !tail || x.dtype !== cache.dtype)
    throw shapeError("writeRows", rule, [cache, x, first]);
  checkFirst("writeRows", first, B);
  const sizes = pageSizes("writeRows", cache, B, pages);
  if (T > sizes.M * sizes.G) throw shapeError("writeRows", rule, [cache, x, first]);
  return sizes;
}

/** (cache [P, G, ...], x [B, T, ...], first i32 scalar or [B][, pages i32 [B, M]]) → cache. */
export const writeRowsOp: Op<null> = {
  name: "writeRows",
  kind: "kernel",
  infer: (inputs) => {
    writeRowsSizes(inputs);
    return [{ shape: inputs[0].shape, dtype: inputs[0].dtype }];
  },
  donates: { 0: 0 },
  reference: ([cache, x, first, pages], [out], node) => {
    const sizes = writeRowsSizes(node.inputs);
    const [B, T] = node.inputs[1].shape;
    const size = sizeOf(node.inputs[0].shape.slice(2));
    out.set(cache);
    for (let b = 0; b < B; b++)
      for (let t = 0; t < T; t++) {
        const slot = slotOf(sizes, pages, b, firstOfRow(first, b) + t);
        const from = (b * T + t) * size;
        if (slot >= 0) out.set(x.subarray(from, from + size), slot * size);
      }
  },
  gradient: { none: "a cache is written at inference only" },
};

/**
 * @param x rows, stored like the cache: another dtype is cast
 * @param first i32 scalar or i32 [B]
 * @param pages i32 [B, M]; absent: the cache has a row for each text. No two texts may write to
 *   one page
 */
export function writeRows(cache: Value, x: Value, first: Value, pages?: Value): Value {
  const inputs = [cache, cast(x, cache.dtype), first];
  return apply(writeRowsOp, pages === undefined ? inputs : [...inputs, pages], null);
}
