/** Arithmetic on shapes: sizes, row-major strides, NumPy broadcasting. */
import type { Shape } from "./graph.ts";

export function sizeOf(shape: Shape): number {
  return shape.reduce((product, n) => product * n, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

/** The shape two operands broadcast to, or undefined when they do not. */
export function broadcastShape(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const x = a[a.length - i] ?? 1;
    const y = b[b.length - i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    out[rank - i] = x === 1 ? y : x;
  }
  return out;
}

/** Strides that read a `from`-shaped tensor as if it were `to`-shaped: 0 where it repeats. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const own = stridesOf(from);
  const pad = to.length - from.length;
  return to.map((_, i) => (i < pad || from[i - pad] === 1 ? 0 : own[i - pad]));
}

/** Rows and columns of a tensor read as a matrix over its last axis. */
export function rowsAndColumns(shape: Shape): [rows: number, columns: number] {
  const columns = shape[shape.length - 1] ?? 1;
  return [sizeOf(shape) / columns, columns];
}

/** Calls `visit(i, offset)` for every position i of `shape`, offset given by `strides`. */
export function forEachOffset(
  shape: Shape,
  strides: readonly number[],
  visit: (i: number, offset: number) => void,
): void {
  const index = new Array<number>(shape.length).fill(0);
  const total = sizeOf(shape);
  let offset = 0;
  for (let i = 0; i < total; i++) {
    visit(i, offset);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      offset += strides[axis];
      if (++index[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}
