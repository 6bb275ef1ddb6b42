/**
 * Every op against central differences in f64. The table of cases must have a row for every op,
 * and an op without a gradient must be listed here with the reason; both are checked, and so is
 * that the checks can fail.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { grad } from "../../src/compute/gradients.ts";
import { apply, input, type Op, type Value } from "../../src/compute/graph.ts";
import { sum } from "../../src/compute/ops/broadcast.ts";
import { add, elementwiseOps, less, mul } from "../../src/compute/ops/elementwise.ts";
import { ops } from "../../src/compute/ops/table.ts";
import { worstDifference } from "./finite-differences.ts";
import { normal, type OpCase } from "./op-cases/case.ts";
import { coverageGaps, opCases } from "./op-cases/table.ts";

const TOLERANCE = 1e-7;

/** Ops without a gradient rule, and why none is needed. */
const withoutGradient: Readonly<Record<string, string>> = {
  input: "a leaf",
  state: "a leaf",
  constant: "a leaf",
  less: "a step",
  equal: "a step",
  sumSquares: "measures gradients",
  linearCrossEntropyGrad: "a first derivative",
  rmsNormGrad: "a first derivative",
  attentionGrad: "a first derivative",
  embeddingGrad: "a first derivative",
  writeRows: "inference only",
  dequantize: "inference only",
  quantLinear: "inference only",
  adamw: "an optimizer step",
  randomUniform: "depends on no float",
  allowIds: "inference only",
  sampleRows: "a draw",
};

const differentiable = (op: Op): boolean => typeof op.gradient === "function";
const hasFloats = (c: OpCase): boolean => c.inputs.some((x) => x.dtype === "f32");

describe("coverage", () => {
  test("every op has cases that use it", () => {
    assert.deepEqual(coverageGaps(ops, opCases), []);
  });
  test("ops without a gradient are the listed ones", () => {
    const none = [...ops.values()].filter((op) => !differentiable(op)).map((op) => op.name);
    assert.deepEqual(none.sort(), Object.keys(withoutGradient).sort());
  });
  test("every op with a gradient has a case with float inputs", () => {
    const bare = [...ops.values()].filter(
      (op) => differentiable(op) && !(opCases[op.name] ?? []).some(hasFloats),
    );
    assert.deepEqual(bare, []);
  });
  test("a new op without a row is a gap", () => {
    const more = new Map([...ops, ["cosh", { ...elementwiseOps.exp, name: "cosh" }]]);
    assert.deepEqual(coverageGaps(more, opCases), ["cosh: the op has no case"]);
  });
  test("a row for no op, an empty row and a case of another op are gaps", () => {
    const exp = opCases.exp ?? [];
    const cases = { ...opCases, nothing: exp.slice(0, 1), neg: [], tanh: exp.slice(0, 1) };
    assert.deepEqual(coverageGaps(ops, cases), [
      "neg: the op has no case",
      "nothing: a row, but no such op",
      `tanh: case "${exp[0]?.name}" does not use the op`,
      `nothing: case "${exp[0]?.name}" does not use the op`,
    ]);
  });
});

describe("gradient against central differences", () => {
  for (const [name, cases] of Object.entries(opCases)) {
    const op = ops.get(name);
    if (op === undefined || !differentiable(op)) continue;
    test(name, async () => {
      for (const c of cases.filter((c) => hasFloats(c) && !c.inferenceOnly)) {
        const worst = await worstDifference(c);
        assert.ok(worst <= TOLERANCE, `${name}, ${c.name}: off by ${worst}`);
      }
    });
  }

  const broken = (gradient: Op["gradient"]): OpCase => ({
    name: "x · y with a wrong rule",
    inputs: [normal([3]), normal([3])],
    build: (x) => [apply({ ...elementwiseOps.mul, gradient }, x, null)],
  });
  test("a swapped operand is noticed", async () => {
    const rule: Op["gradient"] = (node, [g]) => node.inputs.map((x) => mul(g as Value, x));
    assert.ok((await worstDifference(broken(rule))) > 1e-2);
  });
  test("a forgotten operand is noticed", async () => {
    const rule: Op["gradient"] = (node, [g]) => [mul(g as Value, node.inputs[1] as Value)];
    assert.ok((await worstDifference(broken(rule))) > 1e-2);
  });
  test("a gradient wrong by one part in a thousand is noticed", async () => {
    const rule: Op["gradient"] = (node, [g]) =>
      [...node.inputs].reverse().map((x) => mul(mul(g as Value, x), 1.001));
    assert.ok((await worstDifference(broken(rule))) > 1e-4);
  });
});

describe("gradients of whole graphs", () => {
  const cases: readonly OpCase[] = [
    {
      name: "a value used twice",
      inputs: [normal([3])],
      build: ([x]) => [mul(x as Value, add(x as Value, x as Value))],
    },
    {
      name: "a diamond with broadcasting",
      inputs: [normal([2, 3]), normal([3])],
      build: ([x, y]) => {
        const product = mul(x as Value, y as Value);
        return [mul(add(product, y as Value), product), sum(product, [0])];
      },
    },
    {
      name: "an input that does not reach the loss",
      inputs: [normal([3]), normal([2])],
      build: ([x]) => [mul(x as Value, x as Value)],
    },
  ];
  for (const c of cases)
    test(c.name, async () => {
      const worst = await worstDifference(c);
      assert.ok(worst <= TOLERANCE, `off by ${worst}`);
    });

  test("an op without a gradient on the way is an error that names it", () => {
    const x = input("x", [3]);
    assert.throws(() => grad(sum(less(x, 0)), [x]), {
      code: "SHAPE",
      message: /^grad: less has no gradient \(a comparison is a step.*\), got .*\. Cut the path\.$/,
    });
  });
});
