/** Padding as a C function. */
import type { Node, Value } from "../../graph.ts";
import { sizeOf, stridesOf } from "../../shape.ts";
import { storageType } from "./expression.ts";
import type { LoopContext } from "./render-loop.ts";

/** Zeros, and the operand copied into its window; one worker, since it is rare and small. */
export function renderPad(node: Node, c: LoopContext, input: string): string[] {
  const [x] = node.inputs;
  const out: Value = { node, index: 0, ...node.outputs[0] };
  const strides = stridesOf(out.shape);
  const base = (node.attrs.start as number[]).reduce((sum, n, axis) => sum + n * strides[axis], 0);
  const type = storageType(x.dtype);
  const loops = x.shape.map((n, d) => `for (long j${d} = 0; j${d} < ${n}; j${d}++)`);
  const dense = stridesOf(x.shape);
  const index = (steps: readonly number[]): string =>
    x.shape.map((_, d) => `j${d} * ${steps[d]}`).join(" + ") || "0";
  return [
    "static void NAME(Worker* w, void** s, const int* at) {",
    "  if (w->tid == 0) {",
    `    const ${type}* x = ${input};`,
    `    ${type}* y = ${c.address(out)};`,
    `    memset(y, 0, ${sizeOf(out.shape)} * sizeof *y);`,
    `    ${loops.join(" ")} y[${base} + ${index(strides)}] = x[${index(dense)}];`,
    "  }",
    "  barrier(w);",
    "}",
  ];
}
