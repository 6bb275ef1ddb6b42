/**
 * The few batch shapes that rows of any length are padded to; each is a compiled program. All
 * shapes hold about the same number of tokens. Which one a bundle gets depends on its own length.
 */
import type { Bundle, RowShape } from "./learn-rows.ts";

const SHARES = [1 / 4, 1 / 2, 3 / 4, 1] as const;
/** Lengths are whole multiples of this. */
const QUANTUM = 8;

/**
 * @param B rows of the longest shape  @param T its positions  @param rowsTogether divides every B
 * @returns shortest first
 */
export function paddedShapes(B: number, T: number, rowsTogether: number): RowShape[] {
  const lengths = new Set(SHARES.map((share) => Math.min(T, roundUp(share * T))));
  return [...lengths].map((length) => {
    const bundles = Math.max(1, Math.floor((B * T) / (length * rowsTogether)));
    return { B: bundles * rowsTogether, T: length };
  });
}

function roundUp(length: number): number {
  return QUANTUM * Math.ceil(length / QUANTUM);
}

export interface PaddedBatch {
  readonly shape: RowShape;
  readonly bundles: readonly Bundle[];
}

/** Cuts bundles into batches, all of one shape together, in the order in which they came. */
export function cutIntoBatches(
  bundles: readonly Bundle[],
  shapes: readonly RowShape[],
): PaddedBatch[] {
  const groups = Map.groupBy(bundles, (bundle) => {
    const longest = Math.max(...bundle.map(({ mask }) => mask.length));
    const found = shapes.find(({ T }) => longest <= T);
    if (found === undefined) throw new Error(`padded shapes: no shape holds ${longest} targets`);
    return found;
  });
  return [...groups].flatMap(([shape, members]) => {
    const size = shape.B / (members[0]?.length as number);
    return Array.from({ length: Math.ceil(members.length / size) }, (_, i) => ({
      shape,
      bundles: members.slice(i * size, (i + 1) * size),
    }));
  });
}
