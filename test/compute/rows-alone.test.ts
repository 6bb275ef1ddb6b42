/**
 * Rows of a batch that stand at positions of their own: each gives the bits that it gives alone,
 * whatever the others are and wherever in the batch it is. Decoding many texts rests on this.
 */
import assert from "node:assert/strict";
import type { Backend, HostArray } from "../../src/compute/backend.ts";
import { constant, type DType, input, type Value } from "../../src/compute/graph.ts";
import { attention } from "../../src/compute/ops/attention.ts";
import { dequantize } from "../../src/compute/ops/dequantize.ts";
import { cast } from "../../src/compute/ops/elementwise.ts";
import { linear } from "../../src/compute/ops/matmul.ts";
import { rope } from "../../src/compute/ops/rope.ts";
import { sampleRows } from "../../src/compute/ops/sample-rows.ts";
import { writeRows } from "../../src/compute/ops/write-rows.ts";
import { fillNormal } from "../../src/compute/philox.ts";
import { packedTypes, packQuants } from "../../src/compute/quants.ts";
import { sizeOf } from "../../src/compute/shape.ts";
import { quantize } from "../../src/llm/model/quantize.ts";
import { forEachBackend } from "./for-each-backend.ts";

type Inputs = Record<string, { readonly shape: readonly number[]; readonly data: HostArray }>;
type Build = (x: Record<string, Value>) => Value;

function normal(shape: readonly number[], stream: number): Inputs[string] {
  const data = new Float32Array(sizeOf(shape));
  fillNormal(data, 1, 7, stream);
  return { shape, data };
}
const integers = (...data: number[]): Inputs[string] => ({
  shape: [data.length],
  data: Int32Array.from(data),
});

async function run(backend: Backend, inputs: Inputs, build: Build): Promise<HostArray> {
  const values = Object.entries(inputs).map(([name, { shape, data }]) => {
    const dtype: DType = data instanceof Int32Array ? "i32" : "f32";
    return [name, input(name, shape, dtype)] as const;
  });
  const y = build(Object.fromEntries(values));
  const program = await backend.compile({ outputs: { y } }, backend.createStore());
  const data = Object.entries(inputs).map(([name, x]) => [name, x.data] as const);
  const result = (await program.run(Object.fromEntries(data))).y as HostArray;
  program.dispose();
  return result;
}

/** Row b of everything that has a row for each of B. */
const rowOf = (inputs: Inputs, B: number, b: number): Inputs =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, x]) => {
      if (x.shape[0] !== B) return [name, x];
      const size = x.data.length / B;
      return [
        name,
        { shape: [1, ...x.shape.slice(1)], data: x.data.slice(b * size, (b + 1) * size) },
      ];
    }),
  );

async function assertRowsAlone(backend: Backend, inputs: Inputs, B: number, build: Build) {
  const whole = await run(backend, inputs, build);
  const size = whole.length / B;
  for (let b = 0; b < B; b++)
    assert.deepEqual(
      whole.slice(b * size, (b + 1) * size),
      await run(backend, rowOf(inputs, B, b), build),
      `row ${b}`,
    );
}

const first = integers(20, 0, 31);

for (const dtype of ["f32", "bf16"] as const) {
  forEachBackend(`rope (${dtype})`, (backend) =>
    assertRowsAlone(backend, { x: normal([3, 5, 2, 10], 1), first }, 3, ({ x, first }) =>
      rope(cast(x as Value, dtype), 1e4, first as Value),
    ),
  );
  forEachBackend(`writeRows (${dtype})`, (backend) => {
    const inputs = { cache: normal([3, 33, 4], 1), x: normal([3, 2, 4], 2), first };
    return assertRowsAlone(backend, inputs, 3, ({ cache, x, first }) =>
      writeRows(cast(cache as Value, dtype), x as Value, first as Value),
    );
  });
  for (const T of [1, 40]) {
    const q = normal([3, T, 4, 8], 1);
    forEachBackend(`attention, ${T} queries (${dtype})`, (backend) => {
      const inputs = { q, k: normal([3, 70, 2, 8], 2), v: normal([3, 70, 2, 8], 3), first };
      return assertRowsAlone(backend, inputs, 3, ({ q, k, v, first }) => {
        const [a, b, c] = [q, k, v].map((x) => cast(x as Value, dtype)) as [Value, Value, Value];
        return attention(a, b, c, { first: first as Value });
      });
    });
    forEachBackend(`attention to pages of one row, ${T} queries (${dtype})`, async (backend) => {
      const [k, v] = [normal([5, 70, 2, 8], 2), normal([5, 70, 2, 8], 3)];
      const chosen = [4, 0, 2];
      const gather = (x: Inputs[string]): Inputs[string] => {
        const size = x.data.length / 5;
        const parts = chosen.flatMap((row) => [...x.data.subarray(row * size, (row + 1) * size)]);
        return { shape: [3, ...x.shape.slice(1)], data: Float32Array.from(parts) };
      };
      const build: Build = ({ q, k, v, first, pages }) => {
        const [a, b, c] = [q, k, v].map((x) => cast(x as Value, dtype)) as [Value, Value, Value];
        const at = { first: first as Value, ...(pages === undefined ? {} : { pages }) };
        return attention(a, b, c, at);
      };
      const pages = { shape: [3, 1], data: Int32Array.from(chosen) };
      const indexed = await run(backend, { q, k, v, first, pages }, build);
      const gathered = await run(backend, { q, k: gather(k), v: gather(v), first }, build);
      assert.deepEqual(indexed, gathered);
    });
  }
}

forEachBackend("sampleRows", (backend) => {
  const inputs = {
    logits: normal([3, 700], 1),
    uniform: { shape: [3], data: Float32Array.of(0.1, 0.5, 0.9) },
    temperature: { shape: [3], data: Float32Array.of(1, 0, 0.6) },
  };
  return assertRowsAlone(backend, inputs, 3, ({ logits, uniform, temperature }) => {
    const limit = constant(500, [], "i32");
    return sampleRows(logits as Value, uniform as Value, temperature as Value, limit).logprob;
  });
});

for (const compute of ["f32", "bf16"] as const)
  forEachBackend(`matmul: a row's place and the number of rows (${compute})`, async (backend) => {
    // Five rows and more: fewer take another kernel, with another order of summation.
    const [K, N] = [75, 70];
    const product = async (rows: readonly number[]): Promise<Map<number, number[]>> => {
      const x = normal([40, K], 1);
      const data = Float32Array.from(rows.flatMap((r) => [...x.data.slice(r * K, (r + 1) * K)]));
      const inputs = { x: { shape: [rows.length, K], data }, w: normal([N, K], 2) };
      const y = await run(backend, inputs, ({ x, w }) => linear(x as Value, w as Value, compute));
      return new Map(rows.map((r, i) => [r, [...y.slice(i * N, (i + 1) * N)]]));
    };
    const all = await product(Array.from({ length: 40 }, (_, i) => i));
    for (const rows of [
      [39, 3, 17, 8, 0],
      [5, 39, 38, 1, 2, 3, 4, 31, 30, 29, 28],
    ])
      for (const [row, y] of await product(rows)) assert.deepEqual(y, all.get(row), `row ${row}`);
  });

for (const format of ["q8_0", "q4_0"] as const)
  for (const compute of ["f32", "bf16"] as const)
    forEachBackend(
      `a product of ${format} weights: a row and its company (${compute})`,
      async (b) => {
        const shape = [70, 96] as const;
        const [R, C] = shape;
        const rows = 64;
        const w = packQuants(quantize(format, normal(shape, 2).data as Float32Array, shape));
        const types = packedTypes(format, shape);
        const x = normal([rows, C], 1);
        const product = (chosen: readonly number[]): Promise<HostArray> => {
          const data = Float32Array.from(
            chosen.flatMap((r) => [...x.data.subarray(r * C, (r + 1) * C)]),
          );
          const inputs = {
            x: { shape: [chosen.length, C], data },
            quants: { shape: types.quants.shape, data: w.quants },
            scales: { shape: types.scales.shape, data: w.scales },
          };
          return run(b, inputs, ({ x, quants, scales }) => {
            const weight = dequantize(quants as Value, scales as Value, { format, shape });
            return linear(cast(x as Value, compute), weight, compute);
          });
        };
        const all = await product(Array.from({ length: rows }, (_, i) => i));
        // A machine without byte products has two classes: up to four rows, and more.
        const classes =
          b.description.includes("avx512bf16") || b.name === "reference" ? [1, 5] : [5];
        for (const first of classes)
          for (const count of [first, first + 1, 7, 23, 63]) {
            const chosen = Array.from({ length: count }, (_, i) => (i * 37 + 11) % rows);
            const got = await product(chosen);
            chosen.forEach((row, i) => {
              for (let r = 0; r < R; r++)
                assert.equal(got[i * R + r], all[row * R + r], `${count} rows, row ${row}`);
            });
          }
      },
    );
