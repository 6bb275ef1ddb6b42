/** Rewrites that must not fire, and arithmetic on NaN, which no random graph above meets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { simplify } from "../../src/compute/compiler/simplify.ts";
import { grad } from "../../src/compute/gradients.ts";
import { graphRoots, input, topologicalOrder } from "../../src/compute/graph.ts";
import { sum } from "../../src/compute/ops/broadcast.ts";
import { maximum, minimum } from "../../src/compute/ops/elementwise.ts";
import { linearCrossEntropy } from "../../src/compute/ops/linear-cross-entropy.ts";
import { forEachBackend } from "./for-each-backend.ts";

function lossGraph(forward: "f32" | "bf16"): string[] {
  const [x, w, targets] = [input("x", [4, 8]), input("w", [16, 8]), input("t", [4], "i32")];
  const [dx] = grad(sum(linearCrossEntropy(x, w, targets, "bf16")), [x]);
  const nll = linearCrossEntropy(x, w, targets, forward);
  const graph = simplify({ outputs: { nll, ...(dx && { dx }) } });
  return topologicalOrder(graphRoots(graph)).map((node) => node.op.name);
}

test("the gradient of the cross-entropy makes the loss of the same precision only", () => {
  assert.ok(!lossGraph("bf16").includes("linearCrossEntropy"));
  assert.ok(lossGraph("f32").includes("linearCrossEntropy"));
});

forEachBackend("maximum and minimum keep NaN on either side", async (backend) => {
  const [a, b] = [input("a", [3]), input("b", [3])];
  const outputs = { high: maximum(a, b), low: minimum(a, b) };
  const program = await backend.compile({ outputs }, backend.createStore());
  const result = await program.run({
    a: Float32Array.of(Number.NaN, 1, 2),
    b: Float32Array.of(1, Number.NaN, 3),
  });
  assert.deepEqual([...(result.high ?? [])], [Number.NaN, Number.NaN, 3]);
  assert.deepEqual([...(result.low ?? [])], [Number.NaN, Number.NaN, 2]);
});
