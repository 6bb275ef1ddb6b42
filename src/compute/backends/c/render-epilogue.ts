/**
 * A matmul's epilogue as C functions: what becomes of one row segment of a finished tile. NAME
 * stores the product, where somebody reads it, and every elementwise result of the unit; NAME_ahead
 * is called before the tile is computed and fetches the lines that NAME will touch.
 */
import { type Access, accessOf, asMatrix } from "../../compiler/access.ts";
import type { Unit } from "../../compiler/fuse.ts";
import type { DType, Value } from "../../graph.ts";
import { createBody, load, storageType } from "./expression.ts";
import { accessKey, indent, isInline, type LoopContext, memoryLeaves } from "./render-loop.ts";

const CACHE_LINE = 64;
const bytesOf = (dtype: DType): number => (dtype === "bf16" ? 2 : 4);

interface Stream {
  readonly name: string;
  readonly dtype: DType;
  /** C statement that declares a pointer to the segment's first element. */
  readonly declaration: string;
  /** Elements between neighbours in a row; 0 = one element for the whole row. */
  readonly step: number;
  readonly writes: boolean;
}

function inputStream(a: Access, i: number, unit: Unit, N: number, c: LoopContext): Stream {
  const { dtype } = a.base;
  const type = storageType(dtype);
  const shape = unit.results[0].shape;
  const [row, step] = asMatrix(a, shape, N) as [number, number];
  const position = `${a.offset} + row * ${row} + col * ${step}`;
  const declaration = `const ${type}* x${i} = (const ${type}*)${c.address(a.base)} + ${position};`;
  return { name: `x${i}`, dtype, declaration, step, writes: false };
}

function outputStream(result: Value, i: number, N: number, c: LoopContext): Stream {
  const { dtype } = result;
  const type = storageType(dtype);
  const position = `env->base + row * ${N} + col`;
  const declaration = `${type}* y${i} = (${type}*)${c.address(result)} + ${position};`;
  return { name: `y${i}`, dtype, declaration, step: 1, writes: true };
}

const fetch = ({ name, dtype, step, writes }: Stream): string[] =>
  step === 1
    ? [
        `for (int i = 0; i < n; i += ${CACHE_LINE / bytesOf(dtype)})`,
        `  __builtin_prefetch(${name} + i, ${writes ? 1 : 0});`,
      ]
    : [];

const opening = [
  "  const Environment* env = environment;",
  "  void** s = env->slots;",
  "  const int* at = env->at;",
];

/** @param keepsProduct whether anybody outside the epilogue reads the product itself */
export function renderEpilogue(unit: Unit, keepsProduct: boolean, c: LoopContext): string[] {
  const product: Value = { node: unit.node, index: 0, ...unit.node.outputs[0] };
  const N = product.shape[product.shape.length - 1];
  const leaves = memoryLeaves(unit.results, c);
  const results = keepsProduct ? [product, ...unit.results] : unit.results;
  const inputs = leaves.map((a, i) => inputStream(a, i, unit, N, c));
  const outputs = results.map((r, i) => outputStream(r, i, N, c));
  const keys = leaves.map(accessKey);
  /** The product's element as it is stored. */
  const finished = product.dtype === "bf16" ? "f32_to_bf16(acc[i])" : "acc[i]";
  const body = createBody(isInline(c), (value) => {
    const access = accessOf(value);
    if (access.base.node === unit.node) return load(finished, product.dtype);
    const { name, step } = inputs[keys.indexOf(accessKey(access))];
    return load(step === 0 ? `${name}[0]` : `${name}[i * ${step}]`, access.base.dtype);
  });
  const stores = results.map((r, i) =>
    r === product ? `y${i}[i] = ${finished};` : body.store(`y${i}[i]`, r),
  );
  const streams = [...inputs, ...outputs];
  const declarations = indent(streams.map((stream) => stream.declaration));
  return [
    "static void NAME_ahead(const void* environment, long row, long col, int n) {",
    ...opening,
    ...declarations,
    ...indent(streams.flatMap(fetch)),
    "}",
    "static void NAME(const void* environment, long row, long col, int n, const float* acc) {",
    ...opening,
    ...declarations,
    "#pragma GCC ivdep",
    "  for (int i = 0; i < n; i++) {",
    ...indent([...body.lines, ...stores], "    "),
    "  }",
    "}",
  ];
}
