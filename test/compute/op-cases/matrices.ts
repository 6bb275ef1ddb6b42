/** Cases of the matrix product and of the output head with cross-entropy. */

import { grad } from "../../../src/compute/gradients.ts";
import type { Value } from "../../../src/compute/graph.ts";
import { sum } from "../../../src/compute/ops/broadcast.ts";
import { mul } from "../../../src/compute/ops/elementwise.ts";
import { linearCrossEntropy } from "../../../src/compute/ops/linear-cross-entropy.ts";
import { linear, matmul } from "../../../src/compute/ops/matmul.ts";
import { type CaseInput, integers, keptF32, normal, type OpCase } from "./case.ts";

interface Sizes {
  readonly name: string;
  readonly leading: readonly number[];
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

const sizes: readonly Sizes[] = [
  { name: "small", leading: [], M: 3, N: 4, K: 5 },
  { name: "batched", leading: [2, 3], M: 3, N: 2, K: 4 },
  { name: "tile edges", leading: [], M: 37, N: 70, K: 51 },
  { name: "one row", leading: [], M: 1, N: 33, K: 18 },
];

const transposed: readonly (readonly [boolean, boolean])[] = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
];

const product = ({ name, leading, M, N, K }: Sizes, ta: boolean, tb: boolean): OpCase => ({
  name: `${name}${ta ? ", A transposed" : ""}${tb ? ", B transposed" : ""}`,
  inputs: [
    normal([...leading, ...(ta ? [K, M] : [M, K])]),
    normal([...leading, ...(tb ? [N, K] : [K, N])]),
  ],
  build: ([a, b], compute) => [
    matmul(a as Value, b as Value, { transposeA: ta, transposeB: tb, compute }),
  ],
});

const head = (
  N: number,
  C: number,
  V: number,
  targets: readonly number[],
  std = 1,
): CaseInput[] => [normal([N, C], std), normal([V, C], std), integers([N], targets)];

const lossCase = (name: string, inputs: CaseInput[]): OpCase => ({
  name,
  inputs,
  build: ([x, w, targets], compute) => [
    linearCrossEntropy(x as Value, w as Value, targets as Value, compute),
  ],
});

/** nll and both gradients for given upstream gradients: what a training step asks for. */
const gradientCase = (name: string, inputs: CaseInput[]): OpCase => ({
  name,
  inputs: [...inputs, normal(inputs[2]?.shape ?? [])],
  build: ([x, w, targets, g], compute) => {
    const nll = linearCrossEntropy(x as Value, w as Value, targets as Value, compute);
    return [nll, ...grad(sum(mul(nll, g as Value)), [x as Value, w as Value])];
  },
});

const heads: readonly (readonly [string, CaseInput[]])[] = [
  ["small", head(5, 4, 7, [0, 6, 3, 3, 1])],
  ["ignored targets", head(6, 4, 5, [2, -1, 0, -100, 4, -1])],
  ["all targets ignored", head(3, 4, 5, [-1])],
  ["one row", head(1, 4, 3, [2])],
  ["more rows and classes than a tile", head(70, 24, 131, [5, 130, -1, 0, 64, 77, 12])],
  ["logits of thousands", head(4, 6, 9, [1, 8, 0, 3], 30)],
];

export const matrixCases: Readonly<Record<string, readonly OpCase[]>> = {
  matmul: [
    ...sizes.flatMap((s) => transposed.map(([ta, tb]) => product(s, ta, tb))),
    {
      name: "leading axes of A count as rows",
      inputs: [normal([2, 3, 4]), normal([4, 5])],
      build: ([a, b], compute) => [matmul(a as Value, b as Value, { compute })],
    },
    {
      name: "linear layer, stored like its operands",
      inputs: [normal([2, 5, 8]), normal([6, 8])],
      build: ([x, w], compute) => [linear(x as Value, w as Value, compute)],
    },
    {
      name: "f32 operands, rounded by the product",
      inputs: [keptF32(normal([9, 40])), keptF32(normal([17, 40]))],
      build: ([x, w], compute) => [linear(x as Value, w as Value, compute, "f32")],
    },
    {
      name: "a tensor by itself",
      inputs: [normal([6, 4])],
      build: ([x], compute) => [matmul(x as Value, x as Value, { transposeB: true, compute })],
    },
  ],
  linearCrossEntropy: heads.map(([name, inputs]) => lossCase(name, inputs)),
  linearCrossEntropyGrad: heads.map(([name, inputs]) => gradientCase(name, inputs)),
};
