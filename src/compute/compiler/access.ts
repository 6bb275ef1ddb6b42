/**
 * Where an elementwise loop finds an operand. Reshapes share their input's storage; broadcast,
 * transpose and slice only change how a position maps to an address. So an operand is a stored
 * value plus one stride per loop axis and an offset, in elements.
 */
import type { Shape, Value } from "../graph.ts";
import { sizeOf, stridesOf } from "../shape.ts";

export interface Access {
  readonly base: Value;
  readonly strides: readonly number[];
  readonly offset: number;
}

/** The value whose storage a value shares: reshapes never copy. */
export function storageOf(value: Value): Value {
  let at = value;
  while (at.node.op.name === "reshape") at = at.node.inputs[0];
  return at;
}

export const isView = (value: Value): boolean =>
  value.node.op.kind === "view" && value.node.op.name !== "reshape";

/** Follows views down to the stored value below them. */
export function accessOf(value: Value): Access {
  if (!isView(value)) return { base: storageOf(value), strides: stridesOf(value.shape), offset: 0 };
  const { node } = value;
  const below = accessOf(node.inputs[0]);
  if (node.op.name === "transpose") {
    const strides = node.attrs.order.map((axis: number) => below.strides[axis]);
    return { ...below, strides };
  }
  if (node.op.name === "slice") {
    const start: readonly number[] = node.attrs.start;
    const offset = start.reduce((sum, s, axis) => sum + s * below.strides[axis], below.offset);
    return { ...below, offset };
  }
  const from = node.inputs[0].shape;
  const lead = value.shape.length - from.length;
  const strides = value.shape.map((n, axis) =>
    axis < lead || (from[axis - lead] === 1 && n !== 1) ? 0 : below.strides[axis - lead],
  );
  return { ...below, strides };
}

/** Reads every element once, in storage order. */
export function isContiguous(access: Access, shape: Shape): boolean {
  const dense = stridesOf(shape);
  const covers = sizeOf(access.base.shape) === sizeOf(shape) && access.offset === 0;
  return covers && shape.every((n, axis) => n === 1 || access.strides[axis] === dense[axis]);
}

/** Merges neighbouring axes wherever every access steps through them as through one. */
export function collapse(
  shape: Shape,
  accesses: readonly Access[],
): { shape: number[]; strides: number[][] } {
  const axes = shape.flatMap((n, axis) => (n === 1 ? [] : [axis]));
  const merged: number[] = [];
  const strides: number[][] = accesses.map(() => []);
  for (const axis of axes) {
    const last = merged.length - 1;
    const joins =
      last >= 0 && accesses.every((a, i) => strides[i][last] === a.strides[axis] * shape[axis]);
    if (joins) {
      merged[last] *= shape[axis];
      accesses.forEach((a, i) => {
        strides[i][last] = a.strides[axis];
      });
    } else {
      merged.push(shape[axis]);
      accesses.forEach((a, i) => void strides[i].push(a.strides[axis]));
    }
  }
  if (merged.length === 0) return { shape: [1], strides: accesses.map(() => [0]) };
  return { shape: merged, strides };
}

/** [row stride, column stride] of an access seen as an M × N matrix, if it can be seen so. */
export function asMatrix(
  access: Access,
  shape: Shape,
  N: number,
): [row: number, column: number] | undefined {
  let inner = shape.length;
  for (let columns = 1; inner > 0 && columns < N; ) columns *= shape[--inner];
  const [left, right] = [shape.slice(0, inner), shape.slice(inner)];
  if (sizeOf(right) !== N) return undefined;
  const part = (axes: Shape, strides: readonly number[]): number | undefined => {
    const flat = collapse(axes, [{ ...access, strides }]);
    return flat.shape.length === 1 ? flat.strides[0][0] : undefined;
  };
  const row = part(left, access.strides.slice(0, inner));
  const column = part(right, access.strides.slice(inner));
  return row === undefined || column === undefined ? undefined : [row, column];
}
