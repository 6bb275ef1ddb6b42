/**
 * Generation against the same network without a cache: every token's logits, whatever the chunks,
 * and the text that follows from them. Models are the ones that PyTorch made the fixtures of.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backend, Store } from "../../../src/compute/backend.ts";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { input } from "../../../src/compute/graph.ts";
import {
  createGenerator,
  type FinishReason,
  type GenerateOptions,
  type TokenGenerator,
} from "../../../src/llm/inference/generator.ts";
import { createPrograms } from "../../../src/llm/inference/programs.ts";
import type { ModelConfig } from "../../../src/llm/model/config.ts";
import {
  hiddenStates,
  kvCache,
  logits,
  modelParameters,
} from "../../../src/llm/model/transformer.ts";
import { assertWithin } from "../../compute/close.ts";
import { forEachBackend } from "../../compute/for-each-backend.ts";
import { loadLlamaFixture } from "../model/llama-fixture.ts";

const model = loadLlamaFixture("llama-2layer");
const { config } = model;
const ids = [...model.batch(0).tokens.slice(0, config.sequenceLen)];
const GREEDY = { temperature: 0, seed: 0 };

async function storeOf(backend: Backend): Promise<Store> {
  const store = backend.createStore();
  await model.writeWeights(store);
  return store;
}

/** Logits [V] after the last of `tokens`: the whole sequence at once, f32, no cache. */
async function fullForward(store: Store, tokens: readonly number[]): Promise<Float32Array> {
  const params = modelParameters(config);
  const sequence = input("ids", [1, tokens.length], "i32");
  const { hidden } = hiddenStates(config, params, sequence, { precision: "f32" });
  const outputs = { logits: logits(config, params, hidden, "f32") };
  const program = await createReferenceBackend().compile({ outputs }, store);
  const all = (await program.run({ ids: Int32Array.from(tokens) })).logits as Float32Array;
  return all.slice(-config.vocabSize);
}

async function read(timeline: AsyncGenerator<number, FinishReason>): Promise<{
  readonly ids: number[];
  readonly reason: FinishReason;
}> {
  const out: number[] = [];
  let next = await timeline.next();
  for (; next.done !== true; next = await timeline.next()) out.push(next.value);
  return { ids: out, reason: next.value };
}

const textOf = async (generator: TokenGenerator, prompt: number[], options: GenerateOptions) =>
  (await read(generator.generate(prompt, options))).ids;

// f32: sums in another order, 1e-6 measured. bf16: these logits reach 2, where its numbers stand
// 2^-6 apart; 0.017 measured.
const tolerances = { f32: 1e-5, bf16: 3e-2 } as const;

for (const precision of ["f32", "bf16"] as const)
  forEachBackend(`prefill and decode are the full forward (${precision})`, async (backend) => {
    const store = await storeOf(backend);
    const oracle = await storeOf(createReferenceBackend());
    const shape = { config, precision, capacity: 24, chunk: 8 };
    const programs = createPrograms(backend, store, shape);
    await programs.begin();
    // Longest first: what a text leaves behind in the cache must not reach the next.
    for (const length of [20, 17, 16, 15, 9, 8, 7, 1]) {
      let got: Float32Array | undefined;
      for (let first = 0; first < length; first += 8) {
        const chunk = ids.slice(first, Math.min(length, first + 8));
        const padded = Int32Array.from({ length: 8 }, (_, i) => chunk[i] ?? 3);
        got = await programs.prefill(padded, first, chunk.length - 1);
      }
      const name = `prompt of ${length}`;
      const tolerance = tolerances[precision];
      const want = await fullForward(oracle, ids.slice(0, length));
      assertWithin(name, got as Float32Array, want, tolerance);
      for (let at = length; at < Math.min(length + 4, 24); at++) {
        const next = await programs.decode(ids[at] as number, at);
        const whole = await fullForward(oracle, ids.slice(0, at + 1));
        assertWithin(`${name}, token ${at}`, next, whole, tolerance);
      }
    }
    await programs.dispose();
    store.dispose();
  });

forEachBackend("weights narrowed beforehand and on the way give the same bits", async (backend) => {
  const shape = { config, precision: "bf16", capacity: 24, chunk: 8 } as const;
  const programs = createPrograms(backend, await storeOf(backend), shape);
  await programs.begin();
  const narrowed = await programs.decode(5, 0);
  const params = modelParameters(config);
  const cache = kvCache(config, 1, 24, "bf16");
  const options = { precision: "bf16", cache } as const;
  const { hidden } = hiddenStates(config, params, input("ids", [1, 1], "i32"), options);
  const outputs = { logits: logits(config, params, hidden, "bf16") };
  const wide = await backend.compile({ outputs }, await storeOf(backend));
  const inputs = { ids: Int32Array.of(5), first: Int32Array.of(0) };
  assert.deepEqual((await wide.run(inputs)).logits, narrowed);
});

forEachBackend(
  "greedy text is the argmax of full forwards, whatever the chunk",
  async (backend) => {
    const oracle = await storeOf(createReferenceBackend());
    const expected = ids.slice(0, 11);
    while (expected.length < config.sequenceLen) {
      const row = await fullForward(oracle, expected);
      expected.push(row.indexOf(Math.max(...row)));
    }
    for (const chunk of [1, 3, 8, 24]) {
      const store = await storeOf(backend);
      const generator = createGenerator(backend, store, config, { precision: "f32", chunk });
      const { ids: text, reason } = await read(generator.generate(ids.slice(0, 11), GREEDY));
      assert.deepEqual(text, expected.slice(11), `chunk ${chunk}`);
      assert.equal(reason, "length");
      await generator.dispose();
      store.dispose();
    }
  },
);

forEachBackend("a text is a function of its seed, not of chunks or neighbours", async (backend) => {
  const prompt = ids.slice(0, 5);
  const options = { temperature: 1, topK: 40, topP: 0.95, seed: 11 };
  const store = await storeOf(backend);
  const generator = createGenerator(backend, store, config, { precision: "f32", chunk: 4 });
  const text = await textOf(generator, prompt, options);
  assert.equal(text.length, config.sequenceLen - 5);
  assert.notDeepEqual(await textOf(generator, prompt, { ...options, seed: 12 }), text);
  assert.deepEqual(await textOf(generator, prompt, options), text);
  // A text that goes on from the middle of another draws the same numbers.
  const rest = await textOf(generator, [...prompt, ...text.slice(0, 6)], options);
  assert.deepEqual(rest, text.slice(6));
  const other = await storeOf(backend);
  const whole = createGenerator(backend, other, config, { precision: "f32", chunk: 24 });
  assert.deepEqual(await textOf(whole, prompt, options), text);
});

for (const precision of ["f32", "bf16"] as const)
  forEachBackend(`a store in training is read, never written (${precision})`, async (backend) => {
    const store = await storeOf(backend);
    const names = store.names();
    const before = await Promise.all(names.map((name) => store.read(name)));
    const generator = createGenerator(backend, store, config, { precision });
    const prompt = ids.slice(0, 3);
    const text = await textOf(generator, prompt, GREEDY);
    const after = await Promise.all(names.map((name) => store.read(name)));
    assert.deepEqual(after, before);
    // A step of training: all later texts are the new model's.
    for (const [i, name] of names.entries()) await store.write(name, stepped(before[i] as Data, i));
    const trained = await textOf(generator, prompt, GREEDY);
    assert.notDeepEqual(trained, text);
    const fresh = backend.createStore();
    for (const [i, name] of names.entries()) {
      fresh.define(name, store.type(name));
      await fresh.write(name, stepped(before[i] as Data, i));
    }
    const twin = createGenerator(backend, fresh, config, { precision });
    assert.deepEqual(await textOf(twin, prompt, GREEDY), trained);
  });

type Data = Float32Array;
const stepped = (data: Data, i: number): Data => data.map((x, k) => x + 0.1 * Math.sin(i + k));

const backend = createReferenceBackend();

async function tinyGenerator(options: { contextLen?: number } = {}): Promise<TokenGenerator> {
  return createGenerator(backend, await storeOf(backend), config, {
    precision: "f32",
    ...options,
  });
}

test("a text ends at maxTokens, at the end of the context, at a stop id", async () => {
  const generator = await tinyGenerator();
  const prompt = ids.slice(0, 4);
  const full = await read(generator.generate(prompt, GREEDY));
  assert.equal(full.ids.length, 20);
  assert.equal(full.reason, "length");
  const three = await read(generator.generate(prompt, { ...GREEDY, maxTokens: 3 }));
  assert.deepEqual(three, { ids: full.ids.slice(0, 3), reason: "length" });
  const stop = full.ids[2] as number;
  const stopped = await read(generator.generate(prompt, { ...GREEDY, stop: [stop] }));
  assert.deepEqual(stopped, { ids: full.ids.slice(0, full.ids.indexOf(stop)), reason: "stop" });
  const short = await read((await tinyGenerator({ contextLen: 7 })).generate(prompt, GREEDY));
  assert.deepEqual(short, { ids: full.ids.slice(0, 3), reason: "length" });
});

test("an aborted signal ends the text before the next run, and frees the generator", async () => {
  const generator = await tinyGenerator();
  const controller = new AbortController();
  const timeline = generator.generate(ids.slice(0, 4), { ...GREEDY, signal: controller.signal });
  assert.equal((await timeline.next()).done, false);
  controller.abort();
  assert.deepEqual(await timeline.next(), { done: true, value: "aborted" });
  const again = generator.generate(ids.slice(0, 4), { ...GREEDY, signal: controller.signal });
  assert.deepEqual(await again.next(), { done: true, value: "aborted" });
  for await (const _ of generator.generate(ids.slice(0, 4), GREEDY)) break;
  assert.equal((await textOf(generator, ids.slice(0, 4), GREEDY)).length, 20);
});

test("ids beyond the tokenizer's are never drawn", async () => {
  const generator = await tinyGenerator();
  const hot = { temperature: 50, seed: 3 };
  const all = await textOf(generator, [1], hot);
  assert.ok(Math.max(...all) >= 30);
  const some = await textOf(generator, [1], { ...hot, vocabSize: 30 });
  assert.ok(Math.max(...some) < 30);
});

const refused: readonly [string, number[], Partial<GenerateOptions>, RegExp][] = [
  ["an empty prompt", [], {}, /prompt must hold a token, got none/],
  ["a prompt that fills the context", ids, {}, /room in a context of 24 tokens, got 24/],
  ["an id beyond the table", [1, 97], {}, /token ids must lie in \[0, 97\), got 97/],
  ["no new tokens", [1], { maxTokens: 0 }, /maxTokens must be a whole number, 1 or more, got 0/],
  ["a negative temperature", [1], { temperature: -1 }, /temperature must be 0 or more, got -1/],
  ["top-k 0", [1], { topK: 0 }, /topK must be a whole number, 1 or more, got 0/],
  ["top-p 0", [1], { topP: 0 }, /topP must be above 0, at most 1, got 0/],
  ["NaN", [1], { temperature: Number.NaN }, /temperature must be 0 or more, got NaN/],
];

for (const [name, prompt, options, message] of refused)
  test(`refused: ${name}`, async () => {
    const timeline = (await tinyGenerator()).generate(prompt, { ...GREEDY, ...options });
    await assert.rejects(timeline.next(), { code: "CONFIG", message });
  });

test("refused: two texts at once, two caches in one store, a context beyond the model's", async () => {
  const generator = await tinyGenerator();
  await generator.generate([1], GREEDY).next();
  await assert.rejects(generator.generate([1], GREEDY).next(), /one text at a time/);
  const store = await storeOf(backend);
  const make = (contextLen: number, of: ModelConfig = config): TokenGenerator =>
    createGenerator(backend, store, of, { precision: "f32", contextLen });
  make(20);
  assert.throws(() => make(24), { code: "SHAPE", message: /cache\.0\.k.* \[1, 24/ });
  assert.throws(() => make(25), { code: "CONFIG", message: /from 1 to 24, got 25/ });
});
