/**
 * A reduction as a C function: the sum or maximum of an elementwise expression. Outputs are handed
 * out to workers; a reduction to one number over one long axis is cut into PARTS instead, which
 * are combined in order.
 */
import { type Access, accessOf, collapse } from "../../compiler/access.ts";
import { leavesOf, type Unit } from "../../compiler/fuse.ts";
import { keyOf } from "../../compiler/simplify.ts";
import type { Node, Value } from "../../graph.ts";
import { sizeOf } from "../../shape.ts";
import { createBody, load } from "./expression.ts";
import {
  accessKey,
  CHUNK_ELEMENTS,
  indent,
  type LoopContext,
  outerOffsets,
  pointerLine,
} from "./render-loop.ts";

/** Sums run in this many lanes, which compilers turn into vectors. */
const LANES = 16;
const PARTS = 64;

interface Axes {
  readonly shape: number[];
  readonly strides: number[][];
}

interface Reduction {
  readonly start: string;
  readonly combine: (a: string, b: string) => string;
}
const REDUCTIONS: Readonly<Record<string, Reduction>> = {
  sum: { start: "0.0f", combine: (a, b) => `${a} + ${b}` },
  max: { start: "-INFINITY", combine: (a, b) => `(${a} > ${b} ? ${a} : ${b})` },
};

interface Parts {
  readonly unit: Unit;
  readonly leaves: readonly Access[];
  readonly kept: Axes;
  readonly reduced: Axes;
  readonly rule: Reduction;
  readonly c: LoopContext;
}

/** Axes of the reduced tensor, the kept and the reduced ones, each merged as far as it goes. */
function splitAxes(node: Node, leaves: readonly Access[]): { kept: Axes; reduced: Axes } {
  const { shape } = node.inputs[0];
  const axes: readonly number[] = node.attrs.axes;
  const part = (chosen: number[]): Axes =>
    collapse(
      chosen.map((axis) => shape[axis]),
      leaves.map((a) => ({ ...a, strides: chosen.map((axis) => a.strides[axis]) })),
    );
  const all = shape.map((_, axis) => axis);
  return {
    kept: part(all.filter((axis) => !axes.includes(axis))),
    reduced: part(all.filter((axis) => axes.includes(axis))),
  };
}

/** `total`: the reduction of output `r`, its innermost axis from `from` to `to` only. */
function renderTotal(p: Parts, from: string, to: string): string[] {
  const { leaves, kept, reduced, rule, c } = p;
  const last = reduced.shape.length - 1;
  const outer = reduced.shape.slice(0, -1);
  const keys = leaves.map(accessKey);
  const body = createBody(
    (value) => !c.stored.has(keyOf(value)),
    (value) => {
      const access = accessOf(value);
      const i = keys.indexOf(accessKey(access));
      return load(`x${i}[p${i} + i * ${reduced.strides[i][last]}]`, access.base.dtype);
    },
  );
  const element = body.name(p.unit.node.inputs[0]);
  const positions = leaves.map((_, i) => {
    const terms = outer.map((_, d) => `j${d} * ${reduced.strides[i][d]}`);
    return `const long p${i} = ${[`o${i}`, ...terms].join(" + ")};`;
  });
  const bases = leaves.map((a) => a.offset);
  return [
    ...outerOffsets(kept.shape, kept.strides, bases),
    `float lanes[${LANES}];`,
    `for (int l = 0; l < ${LANES}; l++) lanes[l] = ${rule.start};`,
    `${outer.map((n, d) => `for (long j${d} = 0; j${d} < ${n}; j${d}++)`).join(" ")} {`,
    ...indent(positions),
    `  for (long i0 = ${from}; i0 < ${to}; i0 += ${LANES}) {`,
    `    const long n = ${to} - i0 < ${LANES} ? ${to} - i0 : ${LANES};`,
    "    for (long l = 0; l < n; l++) {",
    "      const long i = i0 + l;",
    ...indent(body.lines, "      "),
    `      lanes[l] = ${rule.combine("lanes[l]", element)};`,
    "    }",
    "  }",
    "}",
    `float total = ${rule.start};`,
    `for (int l = 0; l < ${LANES}; l++) total = ${rule.combine("total", "lanes[l]")};`,
  ];
}

/** Many outputs: workers take them in chunks. */
function renderByOutput(p: Parts): string[] {
  const outputs = sizeOf(p.kept.shape);
  const perChunk = Math.max(1, Math.floor(CHUNK_ELEMENTS / sizeOf(p.reduced.shape)));
  const inner = p.reduced.shape[p.reduced.shape.length - 1];
  return [
    `for (long chunk; (chunk = take(w, ${Math.ceil(outputs / perChunk)})) >= 0;) {`,
    `  const long end = (chunk + 1) * ${perChunk};`,
    `  for (long r = chunk * ${perChunk}; r < (end < ${outputs} ? end : ${outputs}); r++) {`,
    ...indent(renderTotal(p, "0", `${inner}`), "    "),
    "    y[r] = total;",
    "  }",
    "}",
    "barrier(w);",
  ];
}

/** One output from one long axis: workers take parts of it, worker 0 combines them in order. */
function renderByPart(p: Parts): string[] {
  const [inner] = p.reduced.shape;
  return [
    "float* partial = SCRATCH;",
    "const long r = 0;",
    `for (long part; (part = take(w, ${PARTS})) >= 0;) {`,
    ...indent(renderTotal(p, `part * ${inner} / ${PARTS}`, `(part + 1) * ${inner} / ${PARTS}`)),
    "  partial[part] = total;",
    "}",
    "barrier(w);",
    "if (w->tid == 0) {",
    `  float total = ${p.rule.start};`,
    `  for (int i = 0; i < ${PARTS}; i++) total = ${p.rule.combine("total", "partial[i]")};`,
    "  y[0] = total;",
    "}",
    "barrier(w);",
  ];
}

/** @returns the function, and the bytes of scratch that it needs as a C expression */
export function renderReduce(unit: Unit, c: LoopContext): { lines: string[]; scratch: string } {
  const { node } = unit;
  const leaves = leavesOf([node.inputs[0]], c.stored, false);
  const rule = REDUCTIONS[node.op.name];
  const p: Parts = { unit, leaves, ...splitAxes(node, leaves), rule, c };
  const long = p.reduced.shape.length === 1 && p.reduced.shape[0] > 4 * CHUNK_ELEMENTS;
  const inParts = long && sizeOf(p.kept.shape) === 1;
  const out: Value = { node, index: 0, ...node.outputs[0] };
  const lines = [
    "static void NAME(Worker* w, void** s, const int* at) {",
    ...indent(leaves.map((a, i) => pointerLine(a, i, c))),
    `  float* y = ${c.address(out)};`,
    ...indent(inParts ? renderByPart(p) : renderByOutput(p)),
    "}",
  ];
  return { lines, scratch: inParts ? `${4 * PARTS}` : "0" };
}
