/** Cases of quantised weights: as matrices, as tables, and in products of few and many rows. */
import type { Value } from "../../../src/compute/graph.ts";
import { toF16 } from "../../../src/compute/numbers.ts";
import { dequantize } from "../../../src/compute/ops/dequantize.ts";
import { add } from "../../../src/compute/ops/elementwise.ts";
import { embedding } from "../../../src/compute/ops/embedding.ts";
import { linear } from "../../../src/compute/ops/matmul.ts";
import { packedTypes, type QuantFormat } from "../../../src/compute/quants.ts";
import { type CaseInput, integers, keptF32, normal, type OpCase } from "./case.ts";

const formats = ["q8_0", "q4_0"] as const;
type Sizes = readonly [rows: number, columns: number];

/** Words of any bits: all of them are numbers. */
const words = (shape: readonly number[]): CaseInput => ({
  shape,
  dtype: "i32",
  fill: (size, stream) =>
    Int32Array.from({ length: size }, (_, i) => Math.imul(i + 1 + stream, 0x9e3779b1)),
});

/** Pairs of scales of both signs: some zero, some so small that f16 holds few of their bits. */
const scales = (shape: readonly number[]): CaseInput => ({
  shape,
  dtype: "i32",
  fill: (size, stream) => {
    const half = (x: number, i: number): number =>
      toF16(i % 13 === 5 ? 0 : i % 5 === 2 ? x * 2e-5 : x * 0.01);
    const x = normal([2 * size]).fill(2 * size, stream);
    const at = (i: number): number => half(x[i] ?? 0, i);
    return Int32Array.from({ length: size }, (_, i) => at(2 * i) | (at(2 * i + 1) << 16));
  },
});

const packed = (format: QuantFormat, shape: Sizes): CaseInput[] => {
  const types = packedTypes(format, shape);
  return [words(types.quants.shape), scales(types.scales.shape)];
};

const tables = formats.flatMap((format): OpCase[] => [
  {
    name: `${format}, the whole matrix`,
    inputs: packed(format, [19, 64]),
    build: ([q, s]) => [dequantize(q as Value, s as Value, { format, shape: [19, 64] })],
  },
  {
    name: `${format}, rows by id`,
    inputs: [...packed(format, [35, 32]), integers([2, 4], [34, 0, 17, -1, 35, 3, 3, 16])],
    build: ([q, s, ids]) => {
      const table = dequantize(q as Value, s as Value, { format, shape: [35, 32] });
      return [embedding(table, ids as Value)];
    },
  },
]);

const shapes: readonly (readonly [N: number, shape: Sizes])[] = [
  ...[1, 2, 3, 4, 5, 8].map((N) => [N, [70, 96]] as const),
  ...[1, 17, 64, 65].map((N) => [N, [33, 160]] as const),
  [1, [130, 32]],
  [257, [49, 64]],
];

const products = formats.flatMap((format) =>
  shapes.map(([N, shape]): OpCase => {
    const [R, C] = shape;
    return {
      name: `${format}, ${N} rows by [${R}, ${C}]`,
      inputs: [...packed(format, shape), normal([N, C])],
      build: ([q, s, x], compute) => {
        const weight = dequantize(q as Value, s as Value, { format, shape });
        return [linear(x as Value, weight, compute)];
      },
    };
  }),
);

const withNeighbours = formats.map((format): OpCase => {
  const shape = [70, 64] as const;
  return {
    name: `${format}, a residual is added`,
    inputs: [...packed(format, shape), normal([3, 64]), keptF32(normal([3, 70]))],
    build: ([q, s, x, residual], compute) => {
      const weight = dequantize(q as Value, s as Value, { format, shape });
      return [add(residual as Value, linear(x as Value, weight, compute, "f32"))];
    },
  };
});

const rowsOfZeros = formats.map(
  (format): OpCase => ({
    name: `${format}, rows of zeros, leading axes`,
    inputs: [...packed(format, [16, 32]), normal([2, 3, 32], 0)],
    build: ([q, s, x], compute) => [
      linear(x as Value, dequantize(q as Value, s as Value, { format, shape: [16, 32] }), compute),
    ],
  }),
);

export const quantCases: Readonly<Record<string, readonly OpCase[]>> = {
  dequantize: tables,
  quantLinear: [...products, ...withNeighbours, ...rowsOfZeros],
};
