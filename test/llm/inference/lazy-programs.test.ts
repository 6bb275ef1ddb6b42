/** Programs that are made when needed: freed by the time that `dispose` says so, also half made. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Program } from "../../../src/compute/backend.ts";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { input } from "../../../src/compute/graph.ts";
import { add } from "../../../src/compute/ops/elementwise.ts";
import { createLazyPrograms } from "../../../src/llm/inference/lazy-programs.ts";
import { testC } from "../../compute/for-each-backend.ts";

testC("what still compiles is freed, and each key compiles once", async (backend) => {
  const store = backend.createStore();
  const compiled: number[] = [];
  const programs = createLazyPrograms((length: number): Promise<Program> => {
    compiled.push(length);
    return backend.compile({ outputs: { y: add(input("x", [length]), 1) } }, store);
  });
  const asked = programs.of(2);
  assert.equal(programs.of(2), asked);
  await programs.dispose();
  store.dispose();
  assert.deepEqual(compiled, [2]);
  await assert.rejects((await asked).run({ x: new Float32Array(2) }), /got a disposed one/);
});

test("a compile that failed is the caller's to hear of, not dispose's", async () => {
  const backend = createReferenceBackend();
  const programs = createLazyPrograms(async (length: number): Promise<Program> => {
    if (length === 0) throw new Error("no such shape");
    return backend.compile({ outputs: { y: input("x", [length]) } }, backend.createStore());
  });
  await programs.of(1);
  await assert.rejects(programs.of(0), /no such shape/);
  await programs.dispose();
});

test("what failed to compile is tried again: the disk may have room by then", async () => {
  const backend = createReferenceBackend();
  let tries = 0;
  const programs = createLazyPrograms(async (length: number): Promise<Program> => {
    if (tries++ === 0) throw new Error("no space");
    return backend.compile({ outputs: { y: input("x", [length]) } }, backend.createStore());
  });
  await assert.rejects(programs.of(1), /no space/);
  await programs.of(1);
  assert.equal(tries, 2);
  await programs.dispose();
});
