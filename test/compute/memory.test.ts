/**
 * Memory that belongs to programs and stores: running does not grow it, dispose gives it back.
 * Resident bytes move by a few MB for other reasons, so the tensors here are far larger.
 */
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Backend } from "../../src/compute/backend.ts";
import { input, state } from "../../src/compute/graph.ts";
import { sum } from "../../src/compute/ops/broadcast.ts";
import { add, mul, tanh } from "../../src/compute/ops/elementwise.ts";
import { rope } from "../../src/compute/ops/rope.ts";
import { testC } from "./for-each-backend.ts";

const MB = 2 ** 20;

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** Resident MB after collecting; pages go back to the system late, so the lowest of a few. */
async function residentMb(): Promise<number> {
  let lowest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 6; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
    lowest = Math.min(lowest, process.memoryUsage.rss() / MB);
  }
  return lowest;
}

testC("200 runs do not grow resident memory", async (backend) => {
  const [rows, columns] = [256, 1024]; // 1 MB a tensor
  const x = input("x", [rows, columns]);
  const s = state("s", [rows, columns]);
  const value = tanh(add(s, mul(x, 0.5)));
  const graph = { outputs: { value, total: sum(value, [0]) }, updates: [{ state: s, value }] };
  const store = backend.createStore();
  const program = await backend.compile(graph, store);
  const data = { x: new Float32Array(rows * columns).fill(0.25) };
  for (let run = 0; run < 100; run++) await program.run(data);
  const before = await residentMb();
  for (let run = 0; run < 200; run++) await program.run(data);
  const grown = (await residentMb()) - before;
  assert.ok(grown < 64, `grew ${grown.toFixed(1)} MB over 200 runs that copy 400 MB in and out`);
  program.dispose();
  store.dispose();
});

/** One program with 64 MB of state, made, run and disposed of. */
async function useOnce(backend: Backend): Promise<void> {
  const size = (64 * MB) / 4;
  const s = state("s", [size]);
  const store = backend.createStore();
  const graph = { outputs: { total: sum(s) }, updates: [{ state: s, value: add(s, 1) }] };
  const program = await backend.compile(graph, store);
  await program.run();
  assert.ok(store.bytes() >= 64 * MB);
  program.dispose();
  store.dispose();
}

testC("dispose frees state and arena", async (backend) => {
  await useOnce(backend);
  const before = await residentMb();
  for (let i = 0; i < 8; i++) await useOnce(backend);
  const grown = (await residentMb()) - before;
  assert.ok(grown < 48, `grew ${grown.toFixed(1)} MB over eight stores of 64 MB each`);
});

testC("rope keeps one table where a batch shares its positions", async (backend) => {
  const [T, D] = [64, 32];
  const scratchOf = async (B: number, hasOwn: boolean): Promise<number> => {
    const [x, own] = [input("x", [B, T, 1, D]), input("first", [B], "i32")];
    const y = rope(x, 10_000, hasOwn ? own : undefined);
    const store = backend.createStore();
    const program = await backend.compile({ outputs: { y } }, store);
    program.dispose();
    store.dispose();
    return program.plan.scratchBytes;
  };
  const [one, table] = [await scratchOf(1, false), T * D * 4];
  assert.equal(await scratchOf(8, false), one);
  assert.equal(await scratchOf(8, true), one + 7 * table);
});
