/**
 * State that a program replaces while it reads it: every graph below would be wrong if an update
 * were written over an old value that is still needed. Wanted values are written out by hand.
 */
import assert from "node:assert/strict";
import type { HostArray } from "../../src/compute/backend.ts";
import { grad } from "../../src/compute/gradients.ts";
import {
  constant,
  type DType,
  type Graph,
  input,
  state,
  type Value,
} from "../../src/compute/graph.ts";
import { broadcastTo, sum } from "../../src/compute/ops/broadcast.ts";
import { add, cast, mul, sub } from "../../src/compute/ops/elementwise.ts";
import { matmul } from "../../src/compute/ops/matmul.ts";
import { max } from "../../src/compute/ops/reduce.ts";
import { pad, slice } from "../../src/compute/ops/slice.ts";
import { transpose } from "../../src/compute/ops/transpose.ts";
import { writeRows } from "../../src/compute/ops/write-rows.ts";
import { assertClose } from "./close.ts";
import { forEachBackend } from "./for-each-backend.ts";

type Numbers = readonly number[];

interface StateCase {
  readonly name: string;
  readonly graph: () => Graph;
  readonly inputs?: Record<string, HostArray>;
  /** State before the first run; afterwards; and outputs, of the last of `runs` (default 2). */
  readonly before: Readonly<Record<string, Numbers>>;
  readonly after: Readonly<Record<string, Numbers>>;
  readonly outputs?: Readonly<Record<string, Numbers>>;
  readonly runs?: number;
}

const s = (shape: Numbers = [3], dtype: DType = "f32"): Value => state("s", shape, dtype);
const update = (state: Value, value: Value): Graph => ({
  outputs: {},
  updates: [{ state, value }],
});

const cases: readonly StateCase[] = [
  {
    name: "a counter, read before and after",
    graph: () => {
      const old = s([], "i32");
      const value = add(old, 1);
      return { outputs: { old, value }, updates: [{ state: old, value }] };
    },
    before: { s: [5] },
    after: { s: [8] },
    outputs: { old: [7], value: [8] },
    runs: 3,
  },
  {
    name: "two states change places",
    graph: () => {
      const [a, b] = [state("a", [3]), state("b", [3])];
      const updates = [
        { state: a, value: b },
        { state: b, value: a },
      ];
      return { outputs: {}, updates };
    },
    before: { a: [1, 2, 3], b: [4, 5, 6] },
    after: { a: [4, 5, 6], b: [1, 2, 3] },
    runs: 3,
  },
  {
    name: "each from both (Fibonacci)",
    graph: () => {
      const [a, b] = [state("a", []), state("b", [])];
      const updates = [
        { state: a, value: b },
        { state: b, value: add(a, b) },
      ];
      return { outputs: { a, b }, updates };
    },
    before: { a: [0], b: [1] },
    after: { a: [55], b: [89] },
    outputs: { a: [34], b: [55] },
    runs: 10,
  },
  {
    name: "transposed onto itself",
    graph: () => update(s([3, 3]), transpose(s([3, 3]), [1, 0])),
    before: { s: [1, 2, 3, 4, 5, 6, 7, 8, 9] },
    after: { s: [1, 4, 7, 2, 5, 8, 3, 6, 9] },
    runs: 1,
  },
  {
    name: "shifted by one row",
    graph: () => update(s([3, 2]), pad(slice(s([3, 2]), [0, 0], [2, 2]), [1, 0], [3, 2])),
    before: { s: [1, 2, 3, 4, 5, 6] },
    after: { s: [0, 0, 1, 2, 3, 4] },
    runs: 1,
  },
  {
    name: "every element from one of them",
    graph: () => update(s(), add(s(), broadcastTo(slice(s(), [0], [1]), [3]))),
    before: { s: [1, 10, 100] },
    after: { s: [4, 13, 103] },
  },
  {
    name: "every element from the sum and the maximum",
    graph: () => update(s(), sub(add(s(), sum(s())), max(s()))),
    before: { s: [1, 2, 4] },
    after: { s: [4, 5, 7] },
    runs: 1,
  },
  {
    name: "a matrix by itself",
    graph: () => update(s([2, 2]), matmul(s([2, 2]), s([2, 2]))),
    before: { s: [1, 1, 0, 1] },
    after: { s: [1, 8, 0, 1] },
    runs: 3,
  },
  {
    name: "an input, a constant and a copy",
    graph: () => {
      const [a, b, c] = [state("a", [2]), state("b", [2]), state("c", [2])];
      const updates = [
        { state: a, value: input("x", [2]) },
        { state: b, value: constant(3, [2]) },
        { state: c, value: a },
      ];
      return { outputs: {}, updates };
    },
    inputs: { x: Float32Array.of(7, 8) },
    before: { a: [1, 2], b: [1, 2], c: [0, 0] },
    after: { a: [7, 8], b: [3, 3], c: [1, 2] },
    runs: 1,
  },
  {
    name: "gradient descent that also returns the old gradient and the old weights",
    graph: () => {
      const w = state("w", [2]);
      const loss = mul(sum(mul(w, w)), 0.5);
      const [g] = grad(loss, [w]) as [Value];
      const value = sub(w, mul(g, 0.5));
      return { outputs: { loss, g, doubled: mul(w, 2) }, updates: [{ state: w, value }] };
    },
    before: { w: [4, -8] },
    after: { w: [1, -2] },
    outputs: { loss: [10], g: [2, -4], doubled: [4, -8] },
  },
  {
    name: "a bf16 state rounds what it is given",
    graph: () => update(s([2], "bf16"), cast(add(s([2], "bf16"), 1 / 256), "bf16")),
    before: { s: [1, 0.5] },
    after: { s: [1, 0.5078125] },
  },
  {
    name: "a cache that grows, and its old rows",
    graph: () => {
      const cache = state("cache", [1, 3, 2]);
      const value = writeRows(cache, input("x", [1, 1, 2]), input("first", [], "i32"));
      const outputs = { old: mul(cache, 10), sum: sum(value, [0, 2]) };
      return { outputs, updates: [{ state: cache, value }] };
    },
    inputs: { x: Float32Array.of(5, 6), first: Int32Array.of(1) },
    before: { cache: [1, 1, 2, 2, 3, 3] },
    after: { cache: [1, 1, 5, 6, 3, 3] },
    outputs: { old: [10, 10, 20, 20, 30, 30], sum: [2, 11, 6] },
    runs: 1,
  },
  {
    name: "rows written for an output only leave the cache as it was",
    graph: () => {
      const cache = state("cache", [1, 3, 1]);
      const value = writeRows(cache, input("x", [1, 1, 1]), input("first", [], "i32"));
      return { outputs: { value } };
    },
    inputs: { x: Float32Array.of(9), first: Int32Array.of(1) },
    before: { cache: [1, 2, 3] },
    after: { cache: [1, 2, 3] },
    outputs: { value: [1, 9, 3] },
  },
  {
    name: "rows written into a copy that another state keeps",
    graph: () => {
      const [a, b] = [state("a", [1, 2, 1]), state("b", [1, 2, 1])];
      const value = writeRows(a, input("x", [1, 1, 1]), input("first", [], "i32"));
      return { outputs: {}, updates: [{ state: b, value }] };
    },
    inputs: { x: Float32Array.of(9), first: Int32Array.of(0) },
    before: { a: [1, 2], b: [3, 4] },
    after: { a: [1, 2], b: [9, 2] },
  },
  {
    name: "one value for two states",
    graph: () => {
      const [a, b] = [state("a", [2]), state("b", [2])];
      const value = add(a, mul(b, 2));
      const updates = [
        { state: a, value },
        { state: b, value },
      ];
      return { outputs: { a, b }, updates };
    },
    before: { a: [1, 2], b: [3, 4] },
    after: { a: [21, 30], b: [21, 30] },
    outputs: { a: [7, 10], b: [7, 10] },
  },
];

const asHost = (values: Numbers, dtype: DType): HostArray =>
  dtype === "i32" ? Int32Array.from(values) : Float32Array.from(values);

for (const c of cases)
  forEachBackend(c.name, async (backend) => {
    const store = backend.createStore();
    const program = await backend.compile(c.graph(), store);
    for (const [name, values] of Object.entries(c.before))
      await store.write(name, asHost(values, store.type(name).dtype));
    let results: Record<string, HostArray> = {};
    for (let run = 0; run < (c.runs ?? 2); run++) results = await program.run(c.inputs);
    for (const [name, values] of Object.entries(c.after))
      assertClose(`state ${name}`, await store.read(name), values, 1e-6);
    for (const [name, values] of Object.entries(c.outputs ?? {}))
      assertClose(`output ${name}`, results[name] ?? [], values, 1e-6);
    program.dispose();
    store.dispose();
  });

forEachBackend("two programs share one store", async (backend) => {
  const store = backend.createStore();
  const increment = await backend.compile(update(s(), add(s(), 1)), store);
  const read = await backend.compile({ outputs: { y: mul(s(), 2) } }, store);
  await increment.run();
  await increment.run();
  assert.deepEqual(Array.from((await read.run()).y ?? []), [4, 4, 4]);
  increment.dispose();
  assert.deepEqual(Array.from((await read.run()).y ?? []), [4, 4, 4]);
  read.dispose();
  assert.deepEqual(Array.from(await store.read("s")), [2, 2, 2]);
});

forEachBackend("results are copies", async (backend) => {
  const store = backend.createStore();
  const program = await backend.compile({ outputs: { s: s(), t: s() } }, store);
  const first = await program.run();
  first.s?.fill(9);
  (await store.read("s")).fill(9);
  const second = await program.run();
  assert.deepEqual(
    [second.s, second.t, first.t].map((x) => Array.from(x ?? [])),
    [
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ],
  );
});

const mismatches: readonly (readonly [name: string, graph: () => Graph])[] = [
  ["another shape", () => update(s([3]), input("x", [4]))],
  ["a shape of equal size", () => update(s([2, 3]), input("x", [3, 2]))],
  ["a wider dtype", () => update(s([3], "bf16"), input("x", [3]))],
];

for (const [name, graph] of mismatches)
  forEachBackend(`an update of ${name} is refused`, async (backend) => {
    const compile = async (): Promise<unknown> => backend.compile(graph(), backend.createStore());
    await assert.rejects(compile, { code: "SHAPE" });
  });

forEachBackend("a name that stands for two types is refused", async (backend) => {
  const store = backend.createStore();
  store.define("s", { shape: [3], dtype: "f32" });
  store.define("s", { shape: [3], dtype: "f32" });
  assert.throws(() => store.define("s", { shape: [4], dtype: "f32" }), { code: "SHAPE" });
  assert.throws(() => store.define("s", { shape: [3], dtype: "bf16" }), { code: "SHAPE" });
});

forEachBackend("a write of another length is refused", async (backend) => {
  const store = backend.createStore();
  store.define("s", { shape: [3], dtype: "f32" });
  for (const length of [2, 4])
    await assert.rejects(store.write("s", new Float32Array(length)), { code: "SHAPE" });
});
