/** All cases of one op as one program, in every variant and with gradients; how two runs compare. */
import type { Backend, HostArray, Program } from "../../../src/compute/backend.ts";
import { grad } from "../../../src/compute/gradients.ts";
import type { Value } from "../../../src/compute/graph.ts";
import { ops } from "../../../src/compute/ops/table.ts";
import { assertClose } from "../close.ts";
import { caseInputs, type HostInputs, type OpCase, type Variant, weightedLoss } from "./case.ts";
import { opCases } from "./table.ts";
import { tolerances } from "./tolerances.ts";

interface Wanted {
  readonly value: Value;
  readonly variant: Variant;
  readonly cancels: number | undefined;
}

export interface OpGraph {
  /** Named `variant: case: what`. */
  readonly wanted: Record<string, Wanted>;
  readonly data: HostInputs;
}

/** All cases of an op in one program, so that a compiler runs once per op. */
export function opGraph(op: string): OpGraph {
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
  if (c.inferenceOnly || !hasKernelGradient(op)) return;
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

export type Results = Record<string, HostArray>;

export async function compileGraph(backend: Backend, { wanted }: OpGraph): Promise<Program> {
  const outputs = Object.entries(wanted).map(([name, { value }]) => [name, value] as const);
  return backend.compile({ outputs: Object.fromEntries(outputs) }, backend.createStore());
}

export async function runOnce(backend: Backend, graph: OpGraph): Promise<Results> {
  const program = await compileGraph(backend, graph);
  const results = await program.run(graph.data);
  program.dispose();
  return results;
}

export function compareOp(op: string, graph: OpGraph, got: Results, want: Results): void {
  for (const [name, { variant, cancels }] of Object.entries(graph.wanted)) {
    const tolerance = tolerances[op]?.[variant] ?? Number.NaN;
    assertClose(`${op}, ${name}`, got[name] ?? [], want[name] ?? [], tolerance, cancels);
  }
}
