/**
 * Elementwise arithmetic: one row per op, with its rule for one number, the same rule in C, and
 * its gradient. Operands broadcast like NumPy's. Arithmetic on f32 and bf16 gives f32 (only `cast`
 * gives bf16); arithmetic on i32 gives i32; comparisons give 0 or 1 in f32.
 */
import {
  apply,
  constant,
  type DType,
  type Op,
  shapeError,
  type TensorType,
  type Value,
} from "../graph.ts";
import { broadcastShape, sameShape } from "../shape.ts";
import { broadcastTo } from "./broadcast.ts";

type Operand = Value | number;
type Gradient = (x: readonly Value[], y: Value, g: Value) => readonly (Value | undefined)[];
interface Row {
  readonly scalar: (x: readonly number[]) => number;
  readonly expression: (x: readonly string[]) => string;
  readonly lanes?: (x: readonly string[]) => string;
  readonly gradient: Gradient | { none: string };
  readonly comparison?: true;
}

const comparisonGradient = {
  none: "a comparison is a step: its gradient is zero almost everywhere",
};

type Name =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "maximum"
  | "minimum"
  | "less"
  | "equal"
  | "select"
  | "neg"
  | "abs"
  | "exp"
  | "log"
  | "sqrt"
  | "tanh"
  | "sigmoid";

const rows: Readonly<Record<Name, Row>> = {
  add: {
    scalar: ([a, b]) => a + b,
    expression: ([a, b]) => `(${a} + ${b})`,
    lanes: ([a, b]) => `(${a} + ${b})`,
    gradient: (_, __, g) => [g, g],
  },
  sub: {
    scalar: ([a, b]) => a - b,
    expression: ([a, b]) => `(${a} - ${b})`,
    lanes: ([a, b]) => `(${a} - ${b})`,
    gradient: (_, __, g) => [g, neg(g)],
  },
  mul: {
    scalar: ([a, b]) => a * b,
    expression: ([a, b]) => `(${a} * ${b})`,
    lanes: ([a, b]) => `(${a} * ${b})`,
    gradient: ([a, b], _, g) => [mul(g, b), mul(g, a)],
  },
  div: {
    scalar: ([a, b]) => a / b,
    expression: ([a, b]) => `(${a} / ${b})`,
    lanes: ([a, b]) => `(${a} / ${b})`,
    gradient: ([, b], y, g) => [div(g, b), neg(mul(g, div(y, b)))],
  },
  maximum: {
    scalar: ([a, b]) => Math.max(a, b),
    expression: ([a, b]) => `(${a} > ${b} || ${a} != ${a} ? ${a} : ${b})`,
    gradient: ([a, b], _, g) => [mul(g, less(b, a)), mul(g, sub(1, less(b, a)))],
  },
  minimum: {
    scalar: ([a, b]) => Math.min(a, b),
    expression: ([a, b]) => `(${a} < ${b} || ${a} != ${a} ? ${a} : ${b})`,
    gradient: ([a, b], _, g) => [mul(g, less(a, b)), mul(g, sub(1, less(a, b)))],
  },
  less: {
    scalar: ([a, b]) => (a < b ? 1 : 0),
    expression: ([a, b]) => `(${a} < ${b} ? 1.0f : 0.0f)`,
    gradient: comparisonGradient,
    comparison: true,
  },
  equal: {
    scalar: ([a, b]) => (a === b ? 1 : 0),
    expression: ([a, b]) => `(${a} == ${b} ? 1.0f : 0.0f)`,
    gradient: comparisonGradient,
    comparison: true,
  },
  /** select(c, a, b): a where c is not 0, else b. */
  select: {
    scalar: ([c, a, b]) => (c !== 0 ? a : b),
    expression: ([c, a, b]) => `(${c} != 0 ? ${a} : ${b})`,
    gradient: ([c], _, g) => [undefined, select(c, g, 0), select(c, 0, g)],
  },
  neg: {
    scalar: ([a]) => -a,
    expression: ([a]) => `(-${a})`,
    lanes: ([a]) => `(-${a})`,
    gradient: (_, __, g) => [neg(g)],
  },
  abs: {
    scalar: ([a]) => Math.abs(a),
    expression: ([a]) => `fabsf(${a})`,
    gradient: ([a], _, g) => [mul(g, sub(less(0, a), less(a, 0)))],
  },
  exp: {
    scalar: ([a]) => Math.exp(a),
    expression: ([a]) => `vexpf(${a})`,
    gradient: (_, y, g) => [mul(g, y)],
  },
  log: {
    scalar: ([a]) => Math.log(a),
    expression: ([a]) => `logf(${a})`,
    gradient: ([a], _, g) => [div(g, a)],
  },
  sqrt: {
    scalar: ([a]) => Math.sqrt(a),
    expression: ([a]) => `sqrtf(${a})`,
    gradient: (_, y, g) => [div(mul(g, 0.5), y)],
  },
  tanh: {
    scalar: ([a]) => Math.tanh(a),
    expression: ([a]) => `vtanhf(${a})`,
    gradient: (_, y, g) => [mul(g, sub(1, mul(y, y)))],
  },
  sigmoid: {
    scalar: ([a]) => 1 / (1 + Math.exp(-a)),
    expression: ([a]) => `vsigmoidf(${a})`,
    lanes: ([a]) => `vec_sigmoid(${a})`,
    gradient: (_, y, g) => [mul(g, mul(y, sub(1, y)))],
  },
};

/** Operands whose dtype decides the result's: the condition of `select` does not. */
const typedOperands = <T>(name: string, operands: readonly T[]): readonly T[] =>
  name === "select" ? operands.slice(1) : operands;

function resultType(name: string, row: Row, inputs: readonly TensorType[]): TensorType {
  const typed = typedOperands(name, inputs);
  const integers = typed.filter((t) => t.dtype === "i32").length;
  if (integers > 0 && integers < typed.length)
    throw shapeError(name, "operands must all be float or all i32", inputs);
  if (!inputs.every((t) => sameShape(t.shape, inputs[0].shape)))
    throw shapeError(name, "operands must have one shape", inputs);
  const integer = inputs[inputs.length - 1].dtype === "i32";
  return { shape: inputs[0].shape, dtype: integer && !row.comparison ? "i32" : "f32" };
}

function elementwiseOp(name: string, row: Row): Op<null> {
  const rule = row.gradient;
  return {
    name,
    kind: "elementwise",
    infer: (inputs) => [resultType(name, row, inputs)],
    scalar: row.scalar,
    expression: row.expression,
    ...(row.lanes && { lanes: row.lanes }),
    reference: (inputs, [out]) => {
      const x = new Array<number>(inputs.length);
      for (let i = 0; i < out.length; i++) {
        for (let k = 0; k < inputs.length; k++) x[k] = inputs[k][i];
        out[i] = row.scalar(x);
      }
    },
    gradient:
      typeof rule === "function"
        ? (node, [g]) => {
            const y = { node, index: 0, ...node.outputs[0] };
            return rule(node.inputs, y, g as Value);
          }
        : rule,
  };
}

export const elementwiseOps: Readonly<Record<Name, Op<null>>> = Object.fromEntries(
  Object.entries(rows).map(([name, row]) => [name, elementwiseOp(name, row)]),
) as Record<Name, Op<null>>;

/** Casts between f32, bf16 (round to nearest, ties to even) and i32 (towards zero). */
export const castOp: Op<{ dtype: DType }> = {
  name: "cast",
  kind: "elementwise",
  infer: ([x], { dtype }) => [{ shape: x.shape, dtype }],
  scalar: ([a]) => a,
  expression: ([a], node) =>
    node.outputs[0].dtype === "i32" ? `(int32_t)(${a})` : `(float)(${a})`,
  lanes: ([a]) => a,
  reference: ([x], [out]) => out.set(x),
  gradient: (node, [g]) => [node.inputs[0].dtype === "i32" ? undefined : cast(g as Value, "f32")],
};

export function cast(x: Value, dtype: DType): Value {
  return x.dtype === dtype ? x : apply(castOp, [x], { dtype });
}

function applyElementwise(name: Name, operands: readonly Operand[]): Value {
  const typed = typedOperands(name, operands).find((x): x is Value => typeof x !== "number");
  const dtype = typed?.dtype === "i32" ? "i32" : "f32";
  const values = operands.map((x) => (typeof x === "number" ? constant(x, [], dtype) : x));
  let shape = values[0].shape;
  for (const value of values) {
    const joined = broadcastShape(shape, value.shape);
    if (joined === undefined) throw shapeError(name, "shapes must broadcast", values);
    shape = joined;
  }
  return apply(
    elementwiseOps[name],
    values.map((x) => broadcastTo(x, shape)),
    null,
  );
}

type Binary = (a: Operand, b: Operand) => Value;
type Unary = (x: Value) => Value;
const binary =
  (name: Name): Binary =>
  (a, b) =>
    applyElementwise(name, [a, b]);
const unary =
  (name: Name): Unary =>
  (x) =>
    applyElementwise(name, [x]);

export const add: Binary = binary("add");
export const sub: Binary = binary("sub");
export const mul: Binary = binary("mul");
export const div: Binary = binary("div");
export const maximum: Binary = binary("maximum");
export const minimum: Binary = binary("minimum");
/** 1 where a < b, else 0. */
export const less: Binary = binary("less");
export const equal: Binary = binary("equal");
export const neg: Unary = unary("neg");
export const abs: Unary = unary("abs");
export const exp: Unary = unary("exp");
export const log: Unary = unary("log");
export const sqrt: Unary = unary("sqrt");
export const tanh: Unary = unary("tanh");
export const sigmoid: Unary = unary("sigmoid");

export function select(condition: Operand, a: Operand, b: Operand): Value {
  return applyElementwise("select", [condition, a, b]);
}

/**
 * SwiGLU: silu(gate) · up. Built from the rows above; the compiler fuses it into the matmuls
 * around it. @see Shazeer 2020
 */
export function swiglu(gate: Value, up: Value): Value {
  return mul(mul(gate, sigmoid(gate)), up);
}
