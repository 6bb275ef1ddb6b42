/** Forward passes against each other: cached against full, bf16 against f32, future against past. */
import assert from "node:assert/strict";
import type { Backend, HostArray, Store } from "../../../src/compute/backend.ts";
import { input } from "../../../src/compute/graph.ts";
import type { ModelConfig } from "../../../src/llm/model/config.ts";
import {
  hiddenStates,
  kvCache,
  logits,
  modelParameters,
  type Precision,
} from "../../../src/llm/model/transformer.ts";
import { assertWithin } from "../../compute/close.ts";
import { forEachBackend } from "../../compute/for-each-backend.ts";
import { loadLlamaFixture } from "./llama-fixture.ts";

type Forward = (ids: Int32Array, first: number) => Promise<HostArray>;

/** Logits [B·T, V] of ids [B, T]; with a capacity, through a cache of that length. */
async function forward(
  backend: Backend,
  store: Store,
  config: ModelConfig,
  shape: readonly [number, number],
  precision: Precision,
  capacity?: number,
): Promise<Forward> {
  const ids = input("ids", shape, "i32");
  const params = modelParameters(config);
  const cache =
    capacity === undefined ? {} : { cache: kvCache(config, shape[0], capacity, precision) };
  const { hidden, cacheUpdates } = hiddenStates(config, params, ids, { precision, ...cache });
  const outputs = { logits: logits(config, params, hidden, precision) };
  const program = await backend.compile({ outputs, updates: cacheUpdates }, store);
  return async (tokens, first) => {
    const position = capacity === undefined ? {} : { first: Int32Array.of(first) };
    return (await program.run({ ids: tokens, ...position })).logits as HostArray;
  };
}

const columns = (ids: Int32Array, T: number, from: number, to: number): Int32Array =>
  Int32Array.from([0, 1].flatMap((b) => [...ids.slice(b * T + from, b * T + to)]));

for (const precision of ["f32", "bf16"] as const)
  for (const window of [undefined, 5])
    forEachBackend(
      `cached decode is the full forward (${precision}, window ${window})`,
      async (backend) => {
        const model = loadLlamaFixture("llama-2layer-qk-norm");
        const config = window === undefined ? model.config : { ...model.config, window };
        const store = backend.createStore();
        await model.writeWeights(store);
        const [B, T, V] = [2, 12, config.vocabSize];
        const tokens = model.batch(0).tokens.slice(0, B * T);
        const full = await (await forward(backend, store, config, [B, T], precision))(tokens, 0);
        const expected = (from: number, to: number): Float32Array =>
          Float32Array.from(
            [0, 1].flatMap((b) => [...full.slice((b * T + from) * V, (b * T + to) * V)]),
          );
        const tolerance = precision === "f32" ? 1e-4 : 2e-2;
        const prefill = await forward(backend, store, config, [B, 4], precision, 16);
        const decode = await forward(backend, store, config, [B, 1], precision, 16);
        for (const from of [0, 4])
          assertWithin(
            `prefill ${from}`,
            await prefill(columns(tokens, T, from, from + 4), from),
            expected(from, from + 4),
            tolerance,
          );
        for (let t = 8; t < T; t++)
          assertWithin(
            `decode ${t}`,
            await decode(columns(tokens, T, t, t + 1), t),
            expected(t, t + 1),
            tolerance,
          );
        store.dispose();
      },
    );

forEachBackend("no position sees its future, every position sees its past", async (backend) => {
  const model = loadLlamaFixture("llama-2layer");
  const store = backend.createStore();
  await model.writeWeights(store);
  const run = await forward(backend, store, model.config, [1, 8], "f32");
  const tokens = model.batch(0).tokens.slice(0, 8);
  const before = await run(tokens, 0);
  const changed = tokens.slice();
  changed[4] = ((tokens[4] as number) + 1) % model.config.vocabSize;
  const after = await run(changed, 0);
  const row = (x: HostArray, t: number): HostArray =>
    x.slice(t * model.config.vocabSize, (t + 1) * model.config.vocabSize);
  for (let t = 0; t < 4; t++) assert.deepEqual(row(after, t), row(before, t));
  for (let t = 4; t < 8; t++) assert.notDeepEqual(row(after, t), row(before, t));
  store.dispose();
});

forEachBackend("bf16 stays near f32", async (backend) => {
  const model = loadLlamaFixture("llama-2layer-qk-norm");
  const store = backend.createStore();
  await model.writeWeights(store);
  const tokens = model.batch(0).tokens.slice(0, 16);
  const exact = await (await forward(backend, store, model.config, [2, 8], "f32"))(tokens, 0);
  const narrow = await (await forward(backend, store, model.config, [2, 8], "bf16"))(tokens, 0);
  assertWithin("logits", narrow, exact, 0.05);
  assert.notDeepEqual(narrow, exact);
  store.dispose();
});
