/**
 * A matmul's epilogue as C functions: what becomes of one row segment of a finished tile. NAME
 * stores the product, where somebody reads it, and every elementwise result of the unit; NAME_ahead
 * is called before the tile is computed and fetches the lines that NAME will touch.
 */
import { type Access, accessOf, asMatrix } from "../../compiler/access.ts";
import type { Unit } from "../../compiler/fuse.ts";
import type { DType, Value } from "../../graph.ts";
import { createBody, hasLanes, load, storageType } from "./expression.ts";
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
  const plan: Plan = { unit, c, leaves, inputs, outputs, results, product };
  const lanes =
    hasLanes(unit.results, isInline(c)) && inputs.every(({ step }) => step === 0 || step === 1);
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
    ...indent(lanes ? renderOnVectors(plan) : renderOnNumbers(plan)),
    "}",
  ];
}

interface Plan {
  readonly unit: Unit;
  readonly c: LoopContext;
  readonly leaves: readonly Access[];
  readonly inputs: readonly Stream[];
  readonly outputs: readonly Stream[];
  readonly results: readonly Value[];
  readonly product: Value;
}

/** The stream of a stored operand, or undefined for the product itself. */
function streamOf({ unit, leaves, inputs }: Plan, value: Value): Stream | undefined {
  const access = accessOf(value);
  if (access.base.node === unit.node) return undefined;
  return inputs[leaves.map(accessKey).indexOf(accessKey(access))];
}

function renderOnNumbers(p: Plan): string[] {
  /** The product's element as it is stored. */
  const finished = p.product.dtype === "bf16" ? "f32_to_bf16(acc[i])" : "acc[i]";
  const body = createBody(isInline(p.c), (value) => {
    const stream = streamOf(p, value);
    if (stream === undefined) return load(finished, p.product.dtype);
    return load(`${stream.name}[i * ${stream.step}]`, stream.dtype);
  });
  const stores = p.results.map((result, i) =>
    result === p.product ? `y${i}[i] = ${finished};` : body.store(`y${i}[i]`, result),
  );
  return [
    "#pragma GCC ivdep",
    "for (int i = 0; i < n; i++) {",
    ...indent([...body.lines, ...stores]),
    "}",
  ];
}

const typeOf = (dtype: DType): string => (dtype === "bf16" ? "BF16" : "F32");

/** LANES at a time; the last ones of a segment too, filled up with zeros. */
function renderOnVectors(p: Plan): string[] {
  const finished = "load_upto(acc, i, n - i, F32)";
  const body = createBody(
    isInline(p.c),
    (value) => {
      const stream = streamOf(p, value);
      if (stream === undefined)
        return p.product.dtype === "bf16" ? `vec_round_bf16(${finished})` : finished;
      const { name, dtype, step } = stream;
      if (step === 0) return `vec_of(${load(`${name}[0]`, dtype)})`;
      return `load_upto(${name}, i, n - i, ${typeOf(dtype)})`;
    },
    true,
  );
  const stores = p.results.map((result, i) => {
    const x = result === p.product ? finished : body.name(result);
    return `store_upto(y${i}, i, n - i, ${typeOf(result.dtype)}, ${x});`;
  });
  return ["for (int i = 0; i < n; i += LANES) {", ...indent([...body.lines, ...stores]), "}"];
}
