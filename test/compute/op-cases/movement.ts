/** Cases of ops that move, repeat or add up elements without arithmetic of their own. */
import { constant, state, type Value } from "../../../src/compute/graph.ts";
import { broadcastTo, sum } from "../../../src/compute/ops/broadcast.ts";
import { add, mul } from "../../../src/compute/ops/elementwise.ts";
import { max } from "../../../src/compute/ops/reduce.ts";
import { reshape } from "../../../src/compute/ops/reshape.ts";
import { pad, slice } from "../../../src/compute/ops/slice.ts";
import { sumSquares } from "../../../src/compute/ops/sum-squares.ts";
import { transpose } from "../../../src/compute/ops/transpose.ts";
import { type CaseInput, distinct, normal, type OpCase } from "./case.ts";

type Shape = readonly number[];

const one = (name: string, x: CaseInput, op: (x: Value) => Value): OpCase => ({
  name,
  inputs: [x],
  build: ([value]) => [op(value as Value)],
});

const reductions: readonly (readonly [Shape, Shape])[] = [
  [
    [3, 4],
    [0, 1],
  ],
  [[3, 4], [0]],
  [[3, 4], [1]],
  [
    [2, 3, 4],
    [0, 2],
  ],
  [[2, 3, 4], [1]],
  [[5], []],
  [[], []],
  [[70, 33], [0]],
  [[70, 33], [1]],
  [
    [70, 33],
    [0, 1],
  ],
  [[3, 1, 5], [1]],
];

const reduced = (
  fill: (shape: Shape) => CaseInput,
  op: (x: Value, axes: Shape) => Value,
): OpCase[] =>
  reductions.map(([shape, axes]) =>
    one(`[${shape}] over [${axes}]`, fill(shape), (x) => op(x, axes)),
  );

const broadcasts: readonly (readonly [Shape, Shape])[] = [
  [
    [3, 1],
    [3, 4],
  ],
  [[4], [2, 3, 4]],
  [[], [2, 3]],
  [
    [2, 1, 4],
    [2, 3, 4],
  ],
  [
    [1, 1],
    [5, 37],
  ],
];

const orders: readonly (readonly [Shape, Shape])[] = [
  [
    [3, 4],
    [1, 0],
  ],
  [
    [2, 3, 4],
    [2, 0, 1],
  ],
  [
    [2, 3, 4],
    [0, 2, 1],
  ],
  [
    [2, 3, 2, 5],
    [0, 2, 1, 3],
  ],
  [
    [35, 66],
    [1, 0],
  ],
];

const windows: readonly (readonly [whole: Shape, start: Shape, window: Shape])[] = [
  [[7], [2], [3]],
  [
    [4, 5],
    [1, 0],
    [2, 5],
  ],
  [
    [4, 5],
    [0, 2],
    [4, 2],
  ],
  [
    [2, 3, 4],
    [1, 1, 1],
    [1, 2, 3],
  ],
  [[4], [0], [4]],
];

export const movementCases: Readonly<Record<string, readonly OpCase[]>> = {
  input: [one("returned as it came", normal([2, 3]), (x) => x)],
  state: [
    one("zero before it is written", normal([2, 3]), (x) => add(state("case:state", [2, 3]), x)),
  ],
  constant: [
    one("scalar beside a tensor", normal([2, 3]), (x) => mul(x, constant(-2.5))),
    one("of a shape", normal([2, 3]), (x) => add(x, constant(0.3, [2, 3]))),
    { name: "alone", inputs: [], build: () => [constant(1.5, [4])] },
  ],
  reshape: [
    one("[2,6] as [3,4]", normal([2, 6]), (x) => reshape(x, [3, 4])),
    one("scalar as [1,1]", normal([]), (x) => reshape(x, [1, 1])),
    one("of a transpose", normal([3, 4]), (x) => reshape(transpose(x, [1, 0]), [2, 6])),
  ],
  broadcast: broadcasts.map(([from, to]) =>
    one(`[${from}] to [${to}]`, normal(from), (x) => broadcastTo(x, to)),
  ),
  transpose: orders.map(([shape, order]) =>
    one(`[${shape}] by [${order}]`, normal(shape), (x) => transpose(x, order)),
  ),
  slice: windows.map(([whole, start, window]) =>
    one(`[${window}] of [${whole}]`, normal(whole), (x) => slice(x, start, window)),
  ),
  pad: windows.map(([whole, start, window]) =>
    one(`[${window}] into [${whole}]`, normal(window), (x) => pad(x, start, whole)),
  ),
  sum: reduced(normal, sum),
  max: reduced(distinct, max),
  sumSquares: [
    one("one tensor", normal([3, 5]), (x) => sumSquares([x])),
    {
      name: "three shapes",
      inputs: [normal([70, 33]), normal([7]), normal([])],
      build: (x) => [sumSquares(x)],
    },
  ],
};
