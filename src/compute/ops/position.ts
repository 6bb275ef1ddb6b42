/**
 * Where rows of new tokens stand: one first position for a whole batch, or one for each row, so
 * that texts of different lengths go through one program.
 */
import { type Data, shapeError, type TensorType } from "../graph.ts";

/** @throws SHAPE unless `first` is an i32 scalar or i32 [B] */
export function checkFirst(where: string, first: TensorType, B: number): void {
  const [count, ...rest] = first.shape;
  if (first.dtype === "i32" && (count === undefined || (count === B && rest.length === 0))) return;
  throw shapeError(where, `the first position must be an i32 scalar or i32 [${B}]`, [first]);
}

/** The first position of row b. */
export const firstOfRow = (first: Data, b: number): number => first[first.length > 1 ? b : 0];
