/**
 * Every op on the C backend against the reference, in f32 and bf16, with gradients; the same run
 * twice gives the same bits, one thread and two agree, and nothing is ever NaN.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createReferenceBackend } from "../../src/compute/backends/reference.ts";
import { ops } from "../../src/compute/ops/table.ts";
import { assertFinite } from "./close.ts";
import { forEachBackend, testC, tryCBackend } from "./for-each-backend.ts";
import { compareOp, compileGraph, opGraph, type Results, runOnce } from "./op-cases/op-graph.ts";
import { opCases } from "./op-cases/table.ts";
import { tolerances } from "./op-cases/tolerances.ts";

test("every op has a tolerance", () => {
  assert.deepEqual(Object.keys(tolerances).sort(), [...ops.keys()].sort());
});

describe("every op: finite on the reference, the same on C", () => {
  for (const op of Object.keys(opCases)) {
    forEachBackend(op, async (backend) => {
      const graph = opGraph(op);
      const got = await runOnce(backend, graph);
      for (const [name, values] of Object.entries(got)) assertFinite(`${op}, ${name}`, values);
      if (backend.name !== "reference")
        compareOp(op, graph, got, await runOnce(createReferenceBackend(), graph));
    });
  }
});

/** Ops whose kernels split work between threads. */
const parallel = [
  "matmul",
  "linearCrossEntropyGrad",
  "attentionGrad",
  "rmsNormGrad",
  "sum",
  "quantLinear",
];

describe("threads and repetition", () => {
  for (const op of parallel) {
    testC(`${op}: the same bits twice`, async (backend) => {
      const graph = opGraph(op);
      const program = await compileGraph(backend, graph);
      const [first, second] = [await program.run(graph.data), await program.run(graph.data)];
      assert.deepEqual(second, first);
      program.dispose();
    });
    test(`${op}: one thread and two agree [c]`, async (t) => {
      const available = await Promise.all([1, 2].map((threads) => tryCBackend({ threads })));
      const graph = opGraph(op);
      const results: Results[] = [];
      for (const entry of available) {
        if ("skip" in entry) return t.skip(entry.skip);
        results.push(await runOnce(entry.backend, graph));
        entry.backend.dispose();
      }
      compareOp(op, graph, results[0] ?? {}, results[1] ?? {});
    });
  }
});
