/**
 * Every op on the C backend against the reference, in f32 and bf16, with gradients; the same run
 * twice gives the same bits, one thread and two agree, and nothing is ever NaN.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Backend, HostArray } from "../../src/compute/backend.ts";
import { createReferenceBackend } from "../../src/compute/backends/reference.ts";
import { grad } from "../../src/compute/gradients.ts";
import type { Value } from "../../src/compute/graph.ts";
import { ops } from "../../src/compute/ops/table.ts";
import { assertClose, assertFinite } from "./close.ts";
import { forEachBackend, testC, tryCBackend } from "./for-each-backend.ts";
import {
  caseInputs,
  type HostInputs,
  type OpCase,
  type Variant,
  weightedLoss,
} from "./op-cases/case.ts";
import { opCases } from "./op-cases/table.ts";
import { tolerances } from "./op-cases/tolerances.ts";

interface OpGraph {
  /** Named `variant: case: what`. */
  readonly outputs: Record<string, Value>;
  readonly data: HostInputs;
}

/** All cases of an op in one program, so that a compiler runs once per op. */
function opGraph(op: string): OpGraph {
  const graph: OpGraph = { outputs: {}, data: {} };
  for (const c of opCases[op] ?? [])
    for (const variant of c.variants ?? (["f32", "bf16"] as const)) addCase(graph, op, c, variant);
  return graph;
}

function addCase({ outputs, data }: OpGraph, op: string, c: OpCase, variant: Variant): void {
  const prefix = `${variant}: ${c.name}`;
  const inputs = caseInputs(c, variant, prefix);
  const built = c.build(inputs.values, variant);
  built.forEach((y, i) => {
    outputs[`${prefix}: output ${i}`] = y;
  });
  Object.assign(data, inputs.data);
  const floats = inputs.values.filter((x) => x.dtype !== "i32");
  if (typeof ops.get(op)?.gradient !== "function" || floats.length === 0) return;
  const { loss, data: weights } = weightedLoss(built, prefix);
  grad(loss, floats).forEach((g, i) => {
    outputs[`${prefix}: gradient of float input ${i}`] = g;
  });
  Object.assign(data, weights);
}

type Results = Record<string, HostArray>;

async function runOnce(backend: Backend, { outputs, data }: OpGraph): Promise<Results> {
  const store = backend.createStore();
  const program = await backend.compile({ outputs }, store);
  const results = await program.run(data);
  program.dispose();
  store.dispose();
  return results;
}

function compare(op: string, got: Results, want: Results): void {
  for (const [name, values] of Object.entries(want)) {
    const variant = name.startsWith("bf16") ? "bf16" : "f32";
    const tolerance = tolerances[op]?.[variant] ?? Number.NaN;
    assertClose(`${op}, ${name}`, got[name] ?? [], values, tolerance);
  }
}

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
        compare(op, got, await runOnce(createReferenceBackend(), graph));
    });
  }
});

/** Ops whose kernels split work between threads. */
const parallel = ["matmul", "linearCrossEntropyGrad", "attentionGrad", "rmsNormGrad", "sum"];

describe("threads and repetition", () => {
  for (const op of parallel) {
    testC(`${op}: the same bits twice`, async (backend) => {
      const store = backend.createStore();
      const { outputs, data } = opGraph(op);
      const program = await backend.compile({ outputs }, store);
      const [first, second] = [await program.run(data), await program.run(data)];
      assert.deepEqual(second, first);
      program.dispose();
    });
    test(`${op}: one thread and two agree [c]`, async (t) => {
      const available = await Promise.all([1, 2].map((threads) => tryCBackend({ threads })));
      const results: Results[] = [];
      for (const entry of available) {
        if ("skip" in entry) return t.skip(entry.skip);
        results.push(await runOnce(entry.backend, opGraph(op)));
        entry.backend.dispose();
      }
      compare(op, results[0] ?? {}, results[1] ?? {});
    });
  }
});
