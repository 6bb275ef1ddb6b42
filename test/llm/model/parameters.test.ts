/** Names against PyTorch's fixture, and the statistics of initial values. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { planDepth } from "../../../src/llm/model/depth.ts";
import { initialise, parameterSpecs } from "../../../src/llm/model/parameters.ts";
import { FIXTURES, loadLlamaFixture } from "./llama-fixture.ts";

for (const name of FIXTURES)
  test(`${name}: names and shapes are Hugging Face's`, () => {
    const { fixture, config } = loadLlamaFixture(name);
    const theirs = fixture.keys.filter((key) => key.startsWith("weight:"));
    const ours = parameterSpecs(config);
    assert.deepEqual(ours.map((spec) => `weight:${spec.name}`).sort(), theirs.toSorted());
    for (const { name: key, shape } of ours)
      assert.deepEqual(shape, fixture.floats(`weight:${key}`).shape);
  });

test("initial values: gains one, matrices of their std, a function of the seed alone", async () => {
  const { config } = planDepth(2, { vocabSize: 512, sequenceLen: 64, optimizer: "adamw" });
  const store = createReferenceBackend().createStore();
  await initialise(store, config, 7);
  const again = createReferenceBackend().createStore();
  await initialise(again, config, 7);
  const other = createReferenceBackend().createStore();
  await initialise(other, config, 8);
  const firsts = new Set<number>();
  for (const { name, init } of parameterSpecs(config)) {
    const values = await store.read(name);
    assert.deepEqual(values, await again.read(name));
    if (init.kind === "ones") {
      assert.ok(values.every((x) => x === 1));
      continue;
    }
    firsts.add(values[0] as number);
    const squares = Float64Array.from(values, (x) => x * x).reduce((a, b) => a + b, 0);
    const std = Math.sqrt(squares / values.length);
    const residual = name.includes("o_proj") || name.includes("down_proj");
    const expected = residual ? 0.02 / Math.sqrt(4) : 0.02;
    assert.ok(Math.abs(std / expected - 1) < 0.05, `${name}: ${std}`);
    assert.notDeepEqual(values, await other.read(name));
  }
  assert.equal(firsts.size, 16, "every matrix has a stream of its own");
});
