/**
 * An elementwise loop as a C function. In generated functions `s` is the table of buffer addresses
 * and `s[N]` one buffer; whoever collects them names them (NAME) and makes one of those that differ
 * in buffers only. Rows are handed out in chunks of about CHUNK_ELEMENTS, so a chunk's result never
 * depends on who computes it.
 */
import { type Access, accessOf, collapse } from "../../compiler/access.ts";
import { leavesOf, type Unit } from "../../compiler/fuse.ts";
import { keyOf } from "../../compiler/simplify.ts";
import type { Shape, Value } from "../../graph.ts";
import { sizeOf, stridesOf } from "../../shape.ts";
import { createBody, load, storageType } from "./expression.ts";

export const CHUNK_ELEMENTS = 16384;
/** A one-dimensional loop is cut into rows of this many elements. */
const ROW = 4096;
export interface LoopContext {
  /** C expression of a stored value's address. */
  readonly address: (value: Value) => string;
  readonly stored: ReadonlySet<string>;
  /** Is this value made by the unit that is being rendered? */
  readonly own: (value: Value) => boolean;
}

export const accessKey = (a: Access): string => `${keyOf(a.base)}|${a.strides}|${a.offset}`;

export const indent = (lines: readonly string[], by = "  "): string[] =>
  lines.map((line) => by + line);

/** `long rest = r; …`: base offsets `o0…` of every access for flat outer index `r`. */
export function outerOffsets(
  shape: Shape,
  strides: readonly (readonly number[])[],
  bases: readonly number[],
): string[] {
  const terms = strides.map((_, i) => [`${bases[i]}`]);
  const lines: string[] = [];
  if (shape.length > 0) lines.push("long rest = r;");
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const index = axis === 0 ? "rest" : `i${axis}`;
    if (axis > 0) lines.push(`long i${axis} = rest % ${shape[axis]}; rest /= ${shape[axis]};`);
    strides.forEach((s, i) => {
      if (s[axis] !== 0) terms[i].push(`${index} * ${s[axis]}`);
    });
  }
  terms.forEach((t, i) => {
    const used = t.filter((x) => x !== "0");
    lines.push(`long o${i} = ${used.length > 0 ? used.join(" + ") : "0"};`);
  });
  return lines;
}

export const pointerLine = (access: Access, i: number, c: LoopContext): string => {
  const type = storageType(access.base.dtype);
  return `const ${type}* x${i} = ${c.address(access.base)};`;
};

const elementAt = (i: number, stride: number): string =>
  stride === 0
    ? `x${i}[o${i}]`
    : stride === 1
      ? `x${i}[o${i} + i]`
      : `x${i}[o${i} + i * ${stride}]`;

/** Leaves that the unit reads from memory, results of its own left out. */
export function memoryLeaves(roots: readonly Value[], c: LoopContext): Access[] {
  return leavesOf(roots, c.stored).filter((a) => !c.own(a.base));
}

export const isInline =
  (c: LoopContext) =>
  (value: Value): boolean =>
    !c.stored.has(keyOf(value)) || c.own(value);

function elementwiseBody(
  results: readonly Value[],
  leaves: readonly Access[],
  read: (leaf: number, access: Access) => string,
  target: (result: Value, i: number) => string,
  c: LoopContext,
): string[] {
  const keys = leaves.map(accessKey);
  const body = createBody(isInline(c), (value) => {
    const access = accessOf(value);
    const at = keys.indexOf(accessKey(access));
    return load(read(at, access), access.base.dtype);
  });
  const stores = results.map((result, i) => {
    return body.store(target(result, i), result);
  });
  return [...body.lines, ...stores];
}

/** One pass over a shape that computes and stores every result of the unit. */
export function renderLoop(unit: Unit, c: LoopContext): string[] {
  const { results } = unit;
  const { shape } = results[0];
  const leaves = memoryLeaves(results, c);
  const dense: Access = { base: results[0], strides: stridesOf(shape), offset: 0 };
  const flat = collapse(shape, [...leaves, dense]);
  const inner = flat.shape[flat.shape.length - 1];
  const single = flat.shape.length === 1;
  const outer = single ? [Math.ceil(inner / ROW)] : flat.shape.slice(0, -1);
  const rows = sizeOf(outer);
  const width = single ? ROW : inner;
  const perChunk = Math.max(1, Math.floor(CHUNK_ELEMENTS / width));
  const chunks = Math.ceil(rows / perChunk);
  const step = flat.strides.map((s) => s[s.length - 1]);
  const outerStrides = flat.strides.map((s) => (single ? [s[0] * ROW] : s.slice(0, -1)));
  const count = single
    ? `(${inner} - r * ${ROW} < ${ROW} ? ${inner} - r * ${ROW} : ${ROW})`
    : `${inner}`;
  const bases = [...leaves.map((a) => a.offset), 0];
  const out = leaves.length;
  const targets = results.map((_, i) => `y${i}[o${out} + i]`);
  const body = elementwiseBody(
    results,
    leaves,
    (i) => elementAt(i, step[i]),
    (_, i) => targets[i],
    c,
  );
  return [
    "static void NAME(Worker* w, void** s, const int* at) {",
    ...indent(leaves.map((a, i) => pointerLine(a, i, c))),
    ...indent(results.map((r, i) => `${storageType(r.dtype)}* y${i} = ${c.address(r)};`)),
    `  for (long chunk; (chunk = take(w, ${chunks})) >= 0;) {`,
    `    long last = (chunk + 1) * ${perChunk} < ${rows} ? (chunk + 1) * ${perChunk} : ${rows};`,
    `    for (long r = chunk * ${perChunk}; r < last; r++) {`,
    ...indent(outerOffsets(outer, outerStrides, bases), "      "),
    `      const long n = ${count};`,
    "#pragma GCC ivdep",
    "      for (long i = 0; i < n; i++) {",
    ...indent(body, "        "),
    "      }",
    "    }",
    "  }",
    "  barrier(w);",
    "}",
  ];
}
