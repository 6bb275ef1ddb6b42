/**
 * Every op on the C backend against the reference, in f32 and bf16, with gradients; the same run
 * twice gives the same bits, one thread and two agree, and nothing is ever NaN.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Backend, HostArray, Program } from "../../src/compute/backend.ts";
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

interface Wanted {
  readonly value: Value;
  readonly variant: Variant;
  readonly cancels: number | undefined;
}

interface OpGraph {
  /** Named `variant: case: what`. */
  readonly wanted: Record<string, Wanted>;
  readonly data: HostInputs;
}

/** All cases of an op in one program, so that a compiler runs once per op. */
function opGraph(op: string): OpGraph {
  const graph: OpGraph = { wanted: {}, data: {} };
  for (const c of opCases[op] ?? [])
    for (const variant of c.variants ?? (["f32", "bf16"] as const)) addCase(graph, op, c, variant);
  return graph;
}

function addCase({ wanted, data }: OpGraph, op: string, c: OpCase, variant: Variant): void {
  const prefix = `${variant}: ${c.name}`;
  const { values, data: inputs } = caseInputs(c, variant, prefix);
  const built = c.build(values, variant);
  const add = (name: string, value: Value): void => {
    wanted[`${prefix}: ${name}`] = { value, variant, cancels: c.cancels };
  };
  built.forEach((y, i) => void add(`output ${i}`, y));
  Object.assign(data, inputs);
  if (!hasKernelGradient(op)) return;
  const floats = values.filter((x) => x.dtype !== "i32");
  const { loss, data: weights } = weightedLoss(built, prefix);
  grad(loss, floats).forEach((g, i) => void add(`gradient of float input ${i}`, g));
  Object.assign(data, weights);
}

/** Elementwise ops and views have gradients of their own kind, which other rows cover. */
function hasKernelGradient(name: string): boolean {
  const op = ops.get(name);
  return op?.kind === "kernel" && typeof op.gradient === "function";
}

type Results = Record<string, HostArray>;

async function compileGraph(backend: Backend, { wanted }: OpGraph): Promise<Program> {
  const outputs = Object.entries(wanted).map(([name, { value }]) => [name, value] as const);
  return backend.compile({ outputs: Object.fromEntries(outputs) }, backend.createStore());
}

async function runOnce(backend: Backend, graph: OpGraph): Promise<Results> {
  const program = await compileGraph(backend, graph);
  const results = await program.run(graph.data);
  program.dispose();
  return results;
}

function compare(op: string, graph: OpGraph, got: Results, want: Results): void {
  for (const [name, { variant, cancels }] of Object.entries(graph.wanted)) {
    const tolerance = tolerances[op]?.[variant] ?? Number.NaN;
    assertClose(`${op}, ${name}`, got[name] ?? [], want[name] ?? [], tolerance, cancels);
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
        compare(op, graph, got, await runOnce(createReferenceBackend(), graph));
    });
  }
});

/** Ops whose kernels split work between threads. */
const parallel = ["matmul", "linearCrossEntropyGrad", "attentionGrad", "rmsNormGrad", "sum"];

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
      compare(op, graph, results[0] ?? {}, results[1] ?? {});
    });
  }
});
