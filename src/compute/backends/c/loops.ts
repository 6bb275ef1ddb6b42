/**
 * Units that are not kernels, as C functions: elementwise loops, reductions, a matmul's epilogue,
 * padding. `s` is the table of buffer addresses and `s[N]` one buffer; whoever collects the
 * functions names them (NAME) and makes one of those that differ in buffers only. Rows are handed
 * out in chunks of about CHUNK_ELEMENTS, so a chunk's result never depends on who computes it.
 */
import { type Access, accessOf, asMatrix, collapse } from "../../compiler/access.ts";
import { leavesOf, type Unit } from "../../compiler/fuse.ts";
import { keyOf } from "../../compiler/simplify.ts";
import type { Node, Shape, Value } from "../../graph.ts";
import { sizeOf, stridesOf } from "../../shape.ts";
import { createBody, load, storageType, store } from "./expression.ts";

const CHUNK_ELEMENTS = 16384;
/** A one-dimensional loop is cut into rows of this many elements. */
const ROW = 4096;
/** Sums run in this many lanes, which compilers turn into vectors. */
const LANES = 16;
/** Parts of a sum over everything, added in order at the end. */
const PARTS = 64;

export interface LoopContext {
  /** C expression of a stored value's address. */
  readonly address: (value: Value) => string;
  readonly stored: ReadonlySet<string>;
  /** Is this value made by the unit that is being rendered? */
  readonly own: (value: Value) => boolean;
}

const accessKey = (a: Access): string => `${keyOf(a.base)}|${a.strides}|${a.offset}`;

const indent = (lines: readonly string[], by = "  "): string[] => lines.map((line) => by + line);

/** `long rest = r; …`: base offsets `o0…` of every access for flat outer index `r`. */
function outerOffsets(
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

const pointerLine = (access: Access, i: number, c: LoopContext): string => {
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
function memoryLeaves(roots: readonly Value[], c: LoopContext): Access[] {
  return leavesOf(roots, c.stored).filter((a) => !c.own(a.base));
}

const isInline =
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
    return store(target(result, i), body.name(result), result.dtype);
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

/**
 * A matmul's epilogue: stores the product when `product` is given, and every result of the unit,
 * for one row segment of a finished tile. `base` shifts by whole matrices of a batch.
 */
export function renderEpilogue(unit: Unit, keepsProduct: boolean, c: LoopContext): string[] {
  const product: Value = { node: unit.node, index: 0, ...unit.node.outputs[0] };
  const N = product.shape[product.shape.length - 1];
  const leaves = leavesOf(unit.results, c.stored).filter((a) => !c.own(a.base));
  const pointers = leaves.map((a, i) => {
    const [row, column] = asMatrix(a, unit.results[0].shape, N) as [number, number];
    const offset = [`${a.offset}`, `row * ${row}`, `col * ${column}`].join(" + ");
    return `const ${storageType(a.base.dtype)}* x${i} = (const ${storageType(a.base.dtype)}*)${c.address(a.base)} + ${offset};`;
  });
  const steps = leaves.map((a) => (asMatrix(a, unit.results[0].shape, N) as [number, number])[1]);
  const stored = keepsProduct ? [product, ...unit.results] : unit.results;
  const outputs = stored.map(
    (r, i) =>
      `${storageType(r.dtype)}* y${i} = (${storageType(r.dtype)}*)${c.address(r)} + env->base + row * ${N} + col;`,
  );
  const keys = leaves.map(accessKey);
  const rounded = product.dtype === "bf16" ? "bf16_to_f32(f32_to_bf16(acc[i]))" : "acc[i]";
  const body = createBody(isInline(c), (value) => {
    const access = accessOf(value);
    if (access.base.node === unit.node) return rounded;
    const at = keys.indexOf(accessKey(access));
    return load(steps[at] === 0 ? `x${at}[0]` : `x${at}[i * ${steps[at]}]`, access.base.dtype);
  });
  const stores = stored.map((r, i) => store(`y${i}[i]`, body.name(r), r.dtype));
  return [
    "static void NAME(const void* environment, long row, long col, int n, const float* acc) {",
    "  const Environment* env = environment;",
    "  void** s = env->slots;",
    "  const int* at = env->at;",
    ...indent([...pointers, ...outputs]),
    "#pragma GCC ivdep",
    "  for (int i = 0; i < n; i++) {",
    ...indent([...body.lines, ...stores], "    "),
    "  }",
    "}",
  ];
}

interface Reduction {
  readonly start: string;
  readonly combine: (a: string, b: string) => string;
}
const REDUCTIONS: Readonly<Record<string, Reduction>> = {
  sum: { start: "0.0f", combine: (a, b) => `${a} + ${b}` },
  max: { start: "-INFINITY", combine: (a, b) => `(${a} > ${b} ? ${a} : ${b})` },
};

/** Axes of the reduced tensor: the kept ones first, each part merged as far as it goes. */
function splitAxes(
  node: Node,
  leaves: readonly Access[],
): {
  kept: { shape: number[]; strides: number[][] };
  reduced: { shape: number[]; strides: number[][] };
} {
  const { shape } = node.inputs[0];
  const axes: readonly number[] = node.attrs.axes;
  const part = (chosen: number[]): { shape: number[]; strides: number[][] } =>
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

/**
 * Sum or maximum of an elementwise expression. Outputs are handed out to workers; a reduction to
 * one number over one flat axis is cut into PARTS instead, combined in order.
 */
export function renderReduce(unit: Unit, c: LoopContext): { lines: string[]; scratch: string } {
  const { node } = unit;
  const operand = node.inputs[0];
  const leaves = leavesOf([operand], c.stored, false);
  const { start, combine } = REDUCTIONS[node.op.name];
  const { kept, reduced } = splitAxes(node, leaves);
  const outputs = sizeOf(kept.shape);
  const depth = reduced.shape.length;
  const inner = reduced.shape[depth - 1];
  const parts = outputs === 1 && depth === 1 && inner > 4 * CHUNK_ELEMENTS ? PARTS : 1;
  const step = reduced.strides.map((s) => s[depth - 1]);
  const keys = leaves.map(accessKey);
  const body = createBody(
    (value) => !c.stored.has(keyOf(value)),
    (value) => {
      const access = accessOf(value);
      const at = keys.indexOf(accessKey(access));
      return load(`x${at}[p${at} + i * ${step[at]}]`, access.base.dtype);
    },
  );
  const element = body.name(operand);
  const loops = reduced.shape
    .slice(0, -1)
    .map((n, d) => `for (long j${d} = 0; j${d} < ${n}; j${d}++)`);
  const positions = leaves.map((_, i) => {
    const terms = reduced.shape
      .slice(0, -1)
      .flatMap((_, d) => (reduced.strides[i][d] ? [`j${d} * ${reduced.strides[i][d]}`] : []));
    return `long p${i} = ${[`o${i}`, ...terms].join(" + ")};`;
  });
  const [from, to] =
    parts === 1
      ? ["0", `${inner}`]
      : [`part * ${inner} / ${parts}`, `(part + 1) * ${inner} / ${parts}`];
  const out = c.address({ node, index: 0, ...node.outputs[0] });
  const perChunk = parts > 1 ? 1 : Math.max(1, Math.floor(CHUNK_ELEMENTS / sizeOf(reduced.shape)));
  const chunks = parts > 1 ? parts : Math.ceil(outputs / perChunk);
  const lines = [
    "static void NAME(Worker* w, void** s, const int* at) {",
    ...indent(leaves.map((a, i) => pointerLine(a, i, c))),
    `  float* y = ${out};`,
    ...(parts > 1 ? ["  float* partial = SCRATCH;"] : []),
    `  for (long chunk; (chunk = take(w, ${chunks})) >= 0;) {`,
    ...(parts > 1
      ? ["    const long r = 0, part = chunk;", "    {"]
      : [
          `    long last = (chunk + 1) * ${perChunk} < ${outputs} ? (chunk + 1) * ${perChunk} : ${outputs};`,
          `    for (long r = chunk * ${perChunk}; r < last; r++) {`,
        ]),
    ...indent(
      outerOffsets(
        kept.shape,
        kept.strides,
        leaves.map((a) => a.offset),
      ),
      "      ",
    ),
    `      float lanes[${LANES}];`,
    `      for (int l = 0; l < ${LANES}; l++) lanes[l] = ${start};`,
    `      ${loops.join(" ")} {`,
    ...indent(positions, "        "),
    `        for (long i0 = ${from}; i0 < ${to}; i0 += ${LANES}) {`,
    `          const long n = ${to} - i0 < ${LANES} ? ${to} - i0 : ${LANES};`,
    "          for (long l = 0; l < n; l++) {",
    "            const long i = i0 + l;",
    ...indent(body.lines, "            "),
    `            lanes[l] = ${combine("lanes[l]", element)};`,
    "          }",
    "        }",
    "      }",
    `      float total = ${start};`,
    `      for (int l = 0; l < ${LANES}; l++) total = ${combine("total", "lanes[l]")};`,
    parts > 1 ? "      partial[chunk] = total;" : "      y[r] = total;",
    "    }",
    "  }",
    "  barrier(w);",
    ...(parts > 1
      ? [
          "  if (w->tid == 0) {",
          `    float total = ${start};`,
          `    for (int part = 0; part < ${parts}; part++) total = ${combine("total", "partial[part]")};`,
          "    y[0] = total;",
          "  }",
          "  barrier(w);",
        ]
      : []),
    "}",
  ];
  return { lines, scratch: parts > 1 ? `${4 * parts}` : "0" };
}

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
