/**
 * Small random graphs for comparing compilers: elementwise chains and diamonds over operands that
 * broadcast, reductions, moved and sliced operands, matrix products with whatever follows them,
 * and states that are replaced while other values still read them.
 *
 * Comparisons read inputs only: on computed numbers a last-bit difference may flip the result.
 */
import fc from "fast-check";
import { type Graph, input, type Shape, state, type Value } from "../../src/compute/graph.ts";
import { broadcastTo, sum } from "../../src/compute/ops/broadcast.ts";
import * as e from "../../src/compute/ops/elementwise.ts";
import { matmul } from "../../src/compute/ops/matmul.ts";
import { max } from "../../src/compute/ops/reduce.ts";
import { reshape } from "../../src/compute/ops/reshape.ts";
import { pad, slice } from "../../src/compute/ops/slice.ts";
import { transpose } from "../../src/compute/ops/transpose.ts";
import { broadcastShape, sizeOf } from "../../src/compute/shape.ts";
import { type HostInputs, normal } from "./op-cases/case.ts";

interface Step {
  readonly rule: number;
  /** Which values it takes, and a free choice (axis, window). */
  readonly a: number;
  readonly b: number;
  readonly choice: number;
  /** Whether the value is an output, too, and so has to exist in memory. */
  readonly kept: boolean;
}

export interface GraphSpec {
  readonly rows: number;
  readonly columns: number;
  readonly steps: readonly Step[];
}

const natural = fc.nat({ max: 1000 });
const step: fc.Arbitrary<Step> = fc.record({
  rule: natural,
  a: natural,
  b: natural,
  choice: natural,
  kept: fc.nat({ max: 3 }).map((n) => n === 0),
});

export const graphSpec: fc.Arbitrary<GraphSpec> = fc.record({
  rows: fc.constantFrom(1, 2, 5, 19, 33),
  columns: fc.constantFrom(1, 3, 8, 17, 40),
  steps: fc.array(step, { minLength: 1, maxLength: 14 }),
});

type Rule = (a: Value, b: Value, choice: number) => Value | undefined;

const last = (x: Value): number => x.shape.length - 1;
const axisOf = (x: Value, choice: number): number => choice % Math.max(1, x.shape.length);

/** Multiplies into half of a bounded operand, so that chains neither vanish nor overflow. */
const bounded = (a: Value, b: Value): Value => e.mul(a, e.tanh(b));
const joined = (a: Value, b: Value): Shape | undefined => broadcastShape(a.shape, b.shape);
const pair =
  (op: (a: Value, b: Value) => Value): Rule =>
  (a, b) =>
    joined(a, b) === undefined ? undefined : op(a, b);

function reduceAxis(x: Value, choice: number, op: (x: Value, axes: number[]) => Value): Value {
  if (x.shape.length === 0) return x;
  const axis = axisOf(x, choice);
  const kept = x.shape.map((n, i) => (i === axis ? 1 : n));
  return choice % 2 === 0 ? op(x, [axis]) : reshape(op(x, [axis]), kept);
}

function half(x: Value, choice: number): Value | undefined {
  const axis = axisOf(x, choice);
  const n = x.shape[axis] ?? 1;
  if (n < 2) return undefined;
  const size = Math.ceil(n / 2);
  const start = x.shape.map((_, i) => (i === axis ? (choice % 2) * (n - size) : 0));
  const window = x.shape.map((m, i) => (i === axis ? size : m));
  return choice % 3 === 0 ? pad(slice(x, start, window), start, x.shape) : slice(x, start, window);
}

function product(a: Value, b: Value, choice: number): Value | undefined {
  const [ta, tb] = [choice % 2 === 1, choice % 4 > 1];
  if (a.shape.length !== 2 || b.shape.length !== 2) return undefined;
  const inner = a.shape[ta ? 0 : 1];
  if (inner === undefined || inner !== b.shape[tb ? 1 : 0]) return undefined;
  const y = matmul(a, b, { transposeA: ta, transposeB: tb });
  return e.mul(y, 1 / Math.sqrt(inner));
}

const rules: readonly Rule[] = [
  pair(e.add),
  pair(e.sub),
  pair(bounded),
  pair(e.maximum),
  pair(e.minimum),
  pair((a, b) => e.div(a, e.add(e.abs(b), 1))),
  (a) => e.neg(a),
  (a) => e.abs(a),
  (a) => e.mul(a, 0.75),
  (a) => e.exp(e.tanh(a)),
  (a) => e.sigmoid(a),
  (a) => e.sqrt(e.add(e.abs(a), 0.1)),
  (a) => e.log(e.add(e.abs(a), 1.5)),
  (a) => e.cast(e.cast(a, "bf16"), "f32"),
  (a) => e.cast(a, "bf16"),
  (a, _, choice) => e.mul(reduceAxis(a, choice, sum), 0.25),
  (a, _, choice) => reduceAxis(a, choice, max),
  (a) => sum(a),
  (a) => (a.shape.length === 2 ? transpose(a, [1, 0]) : undefined),
  (a, _, choice) => half(a, choice),
  (a) => reshape(a, [sizeOf(a.shape)]),
  (a) => (last(a) < 0 ? broadcastTo(a, [3]) : broadcastTo(a, [2, ...a.shape])),
  product,
  product,
  product,
];

export interface BuiltGraph {
  readonly graph: Required<Graph>;
  readonly data: HostInputs;
}

/** Reads a spec as a graph; a step whose operands do not fit the rule is left out. */
export function buildGraph({ rows, columns, steps }: GraphSpec, prefix: string): BuiltGraph {
  const shapes = [[rows, columns], [rows, columns], [columns], [rows, 1], [], [columns, columns]];
  const inputs = shapes.map((shape, i) => input(`${prefix}:x${i}`, shape));
  const data = inputs.map((x, i) => {
    const values = normal(x.shape).fill(sizeOf(x.shape), i + 1);
    return [`${prefix}:x${i}`, Float32Array.from(values)] as const;
  });
  const old = state(`${prefix}:state`, [rows, columns]);
  const [first, second, row] = inputs as [Value, Value, Value];
  const chosen = e.select(e.less(first, row), first, second);
  const pool = [...inputs, old, chosen];
  const outputs: Record<string, Value> = { [`${prefix}:old`]: old };
  steps.forEach(({ rule, a, b, choice, kept }, i) => {
    const made = rules[rule % rules.length]?.(pick(pool, a), pick(pool, b), choice);
    if (made === undefined || sizeOf(made.shape) > 4000) return;
    pool.push(made);
    if (kept) outputs[`${prefix}:y${i}`] = made;
  });
  outputs[`${prefix}:last`] = pool.at(-1) as Value;
  const next = pool.findLast((x) => x.dtype === "f32" && fits(x, old)) as Value;
  return {
    graph: { outputs, updates: [{ state: old, value: next }] },
    data: Object.fromEntries(data),
  };
}

/** Leans towards the newest values, which makes chains; every value can be picked. */
function pick(pool: readonly Value[], n: number): Value {
  const back = n % 3 === 0 ? n % pool.length : n % Math.min(3, pool.length);
  return pool[pool.length - 1 - back] as Value;
}

const fits = (x: Value, y: Value): boolean =>
  x !== y && x.shape.length === y.shape.length && x.shape.every((n, i) => n === y.shape[i]);
