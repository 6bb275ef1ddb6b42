/** Cases of elementwise arithmetic and casts: each op on plain, broadcast and odd-sized operands. */
import type { Value } from "../../../src/compute/graph.ts";
import * as ops from "../../../src/compute/ops/elementwise.ts";
import {
  type CaseInput,
  distinct,
  integers,
  normal,
  numbers,
  type OpCase,
  positive,
} from "./case.ts";

type Fill = (shape: readonly number[]) => CaseInput;
type Shapes = readonly [name: string, a: readonly number[], b: readonly number[]];

const pairs: readonly Shapes[] = [
  ["same shape", [3, 5], [3, 5]],
  ["row", [4, 3], [3]],
  ["column", [4, 3], [4, 1]],
  ["scalar", [2, 3, 4], []],
  ["scalar on the left", [], [5]],
  ["outer", [3, 1], [1, 37]],
  ["middle axis", [2, 1, 3], [2, 4, 3]],
];

function unary(op: (x: Value) => Value, fill: Fill, extra: readonly OpCase[] = []): OpCase[] {
  const shapes = [[], [3, 5], [2, 3, 4], [67]];
  const plain = shapes.map((shape) => ({
    name: `[${shape}]`,
    inputs: [fill(shape)],
    build: ([x]: readonly Value[]) => [op(x as Value)],
  }));
  return [...plain, ...extra];
}

function binary(op: (a: Value, b: Value) => Value, fillA: Fill, fillB: Fill): OpCase[] {
  return pairs.map(([name, a, b]) => ({
    name,
    inputs: [fillA(a), fillB(b)],
    build: ([x, y]) => [op(x as Value, y as Value)],
  }));
}

const given = (name: string, op: (x: Value) => Value, values: readonly number[]): OpCase => ({
  name,
  inputs: [numbers([values.length], values)],
  build: ([x]) => [op(x as Value)],
});

const onIntegers = (op: (a: Value, b: Value) => Value): OpCase => ({
  name: "i32",
  inputs: [integers([6], [1, -2, 3, 2000000000, 0, 7]), integers([6], [1, 5, 3, -9, 0, -7])],
  build: ([a, b]) => [op(a as Value, b as Value)],
  variants: ["f32"],
});

const other: Fill = (shape) => distinct(shape, 0.35);
const nonZero: Fill = (shape) => distinct(shape, 0.35);
const few: Fill = (shape) => numbers(shape, [1, 2, 1, 3]);

export const elementwiseCases: Readonly<Record<string, readonly OpCase[]>> = {
  add: [...binary(ops.add, normal, normal), onIntegers(ops.add)],
  sub: [...binary(ops.sub, normal, normal), onIntegers(ops.sub)],
  mul: binary(ops.mul, normal, normal),
  div: binary(ops.div, normal, nonZero),
  maximum: binary(ops.maximum, distinct, other),
  minimum: binary(ops.minimum, distinct, other),
  less: [...binary(ops.less, distinct, other), onIntegers(ops.less)],
  equal: [...binary(ops.equal, few, (shape) => numbers(shape, [1, 3])), onIntegers(ops.equal)],
  select: [
    {
      name: "by a comparison",
      inputs: [distinct([4, 5]), normal([4, 5]), normal([4, 5], 2)],
      build: ([c, a, b]) => [ops.select(ops.less(0, c as Value), a as Value, b as Value)],
    },
    {
      name: "by i32, arms broadcast",
      inputs: [integers([3, 4], [0, 1, -1, 0, 2]), normal([4]), normal([3, 1])],
      build: ([c, a, b]) => [ops.select(c as Value, a as Value, b as Value)],
    },
    {
      name: "one arm is a number",
      inputs: [distinct([7]), normal([7])],
      build: ([c, a]) => [ops.select(ops.less(c as Value, 0), a as Value, 3)],
    },
  ],
  neg: unary(ops.neg, normal),
  abs: unary(ops.abs, distinct),
  exp: unary(ops.exp, normal, [given("small and large", ops.exp, [-90, -20, -1e-3, 0, 1, 8])]),
  log: unary(ops.log, positive),
  sqrt: unary(ops.sqrt, positive),
  tanh: unary(ops.tanh, normal, [given("saturated", ops.tanh, [-30, -9, -1e-3, 1e-3, 9, 30])]),
  sigmoid: unary(ops.sigmoid, normal, [given("saturated", ops.sigmoid, [-80, -20, 0, 20, 80])]),
  cast: [
    {
      name: "to bf16 and back",
      inputs: [normal([4, 9])],
      build: ([x]) => [ops.cast(ops.cast(x as Value, "bf16"), "f32")],
    },
    {
      name: "stored as bf16",
      inputs: [normal([33])],
      build: ([x]) => [ops.cast(x as Value, "bf16")],
    },
    {
      name: "to i32 and back, towards zero",
      inputs: [distinct([9])],
      build: ([x]) => [ops.cast(ops.cast(x as Value, "i32"), "f32")],
    },
    {
      name: "i32 to f32",
      inputs: [integers([5], [-3, 0, 7, 65537, 2])],
      build: ([x]) => [ops.cast(x as Value, "f32")],
      variants: ["f32"],
    },
  ],
};
