/**
 * One case of one op: inputs of fixed, reproducible values and a small graph that uses the op. The
 * same cases serve the gradient test (f64, central differences) and the comparison of backends
 * (f32, and a bf16 variant in which float inputs are bf16 and matrix products compute in bf16).
 */
import { type DType, input, type Shape, type Value } from "../../../src/compute/graph.ts";
import { sum } from "../../../src/compute/ops/broadcast.ts";
import { add, mul } from "../../../src/compute/ops/elementwise.ts";
import { fillNormal } from "../../../src/compute/philox.ts";
import { sizeOf } from "../../../src/compute/shape.ts";

/** The dtype of float inputs and of matrix arithmetic. */
export type Variant = "f32" | "bf16";

export interface CaseInput {
  readonly shape: Shape;
  readonly dtype: "f32" | "i32";
  /** Stays f32 in the bf16 variant: gains, optimizer state. */
  readonly keepF32?: true;
  readonly fill: (size: number, stream: number) => ArrayLike<number>;
}

export interface OpCase {
  readonly name: string;
  readonly inputs: readonly CaseInput[];
  /** Outputs to compare; those with a gradient add up to the loss of the gradient test. */
  readonly build: (x: readonly Value[], variant: Variant) => readonly Value[];
  /** What has a gradient in general has none here. */
  readonly inferenceOnly?: boolean;
  /** Absent: both. */
  readonly variants?: readonly Variant[];
  /** Size of terms that cancel to (almost) nothing: f32 results are exact to this scale only. */
  readonly cancels?: number;
}

export type HostInputs = Record<string, Float32Array | Int32Array>;

export function normal(shape: Shape, std = 1): CaseInput {
  const fill = (size: number, stream: number): Float32Array => {
    const out = new Float32Array(size);
    fillNormal(out, std, 2024, stream);
    return out;
  };
  return { shape, dtype: "f32", fill };
}

/** Numbers of at least 0.5, for divisors, roots and logarithms. */
export function positive(shape: Shape): CaseInput {
  const { fill } = normal(shape);
  const shifted = (size: number, stream: number): number[] =>
    Array.from(fill(size, stream), (x) => Math.abs(x) + 0.5);
  return { shape, dtype: "f32", fill: shifted };
}

/**
 * Shuffled numbers, 0.5 apart, none nearer than 0.1 to 0 and none equal to those of another
 * `offset` in (0, 0.4): no finite difference crosses a kink of abs, maximum or max.
 */
export function distinct(shape: Shape, offset = 0.2): CaseInput {
  const fill = (size: number): number[] =>
    Array.from({ length: size }, (_, i) => {
      const shuffled = (i * strideFor(size) + 3) % size;
      return (shuffled - Math.floor(size / 2)) * 0.5 + offset;
    });
  return { shape, dtype: "f32", fill };
}

/** A step that has no factor in common with `size`, so that i · step visits every position. */
function strideFor(size: number): number {
  const divides = (a: number, b: number): number => (b === 0 ? a : divides(b, a % b));
  let step = Math.max(1, Math.round(size * 0.618));
  while (divides(step, size) !== 1) step++;
  return step;
}

export function integers(shape: Shape, values: readonly number[]): CaseInput {
  return { shape, dtype: "i32", fill: (size) => repeat(values, size) };
}

export function numbers(shape: Shape, values: readonly number[]): CaseInput {
  return { shape, dtype: "f32", fill: (size) => repeat(values, size) };
}

function repeat(values: readonly number[], size: number): number[] {
  return Array.from({ length: size }, (_, i) => values[i % values.length] ?? 0);
}

export function keptF32(x: CaseInput): CaseInput {
  return { ...x, keepF32: true };
}

/** A case's graph inputs and their data; names start with `prefix`. */
export function caseInputs(
  c: OpCase,
  variant: Variant,
  prefix: string,
): { values: Value[]; data: HostInputs } {
  const data: HostInputs = {};
  const values = c.inputs.map((x, i) => {
    const name = `${prefix}:x${i}`;
    const array = x.dtype === "i32" ? Int32Array : Float32Array;
    data[name] = array.from(x.fill(sizeOf(x.shape), i + 1));
    const dtype: DType = x.dtype === "i32" || x.keepF32 ? x.dtype : variant;
    return input(name, x.shape, dtype);
  });
  return { values, data };
}

/** Σ output · fixed random weights: a scalar whose gradient reaches every output element. */
export function weightedLoss(
  outputs: readonly Value[],
  prefix: string,
): { loss: Value; data: HostInputs } {
  const data: HostInputs = {};
  const terms = outputs.map((y, i) => {
    const weights = normal(y.shape);
    const name = `${prefix}:w${i}`;
    data[name] = Float32Array.from(weights.fill(sizeOf(y.shape), 100 + i));
    return sum(mul(y, input(name, y.shape)));
  });
  return { loss: terms.reduce((a, b) => add(a, b)), data };
}
