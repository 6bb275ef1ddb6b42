/** Every op's cases by name, and what is missing from them. */
import type { Op } from "../../../src/compute/graph.ts";
import { topologicalOrder } from "../../../src/compute/graph.ts";
import { caseInputs, type OpCase } from "./case.ts";
import { elementwiseCases } from "./elementwise.ts";
import { layerCases } from "./layers.ts";
import { matrixCases } from "./matrices.ts";
import { movementCases } from "./movement.ts";
import { quantCases } from "./quants.ts";

export type CaseTable = Readonly<Record<string, readonly OpCase[]>>;

export const opCases: CaseTable = {
  ...elementwiseCases,
  ...movementCases,
  ...matrixCases,
  ...layerCases,
  ...quantCases,
};

/** What keeps `cases` from covering `ops`, one line each; none when every op has a row. */
export function coverageGaps(ops: ReadonlyMap<string, Op>, cases: CaseTable): string[] {
  const missing = [...ops.keys()]
    .filter((name) => (cases[name] ?? []).length === 0)
    .map((name) => `${name}: the op has no case`);
  const unknown = Object.keys(cases)
    .filter((name) => !ops.has(name))
    .map((name) => `${name}: a row, but no such op`);
  const strayed = Object.entries(cases).flatMap(([op, row]) =>
    row.filter((c) => !usesOp(c, op)).map((c) => `${op}: case "${c.name}" does not use the op`),
  );
  return [...missing, ...unknown, ...strayed];
}

function usesOp(c: OpCase, op: string): boolean {
  const outputs = c.build(caseInputs(c, "f32", "coverage").values, "f32");
  return topologicalOrder(outputs).some((node) => node.op.name === op);
}
