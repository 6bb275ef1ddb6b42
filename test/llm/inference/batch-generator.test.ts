/**
 * Batches against one text at a time, and against the same network without a cache: tokens,
 * log-probabilities, entropies, and that no request ever notices its neighbours. Models are the
 * ones that PyTorch made the fixtures of.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backend, Store } from "../../../src/compute/backend.ts";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { input } from "../../../src/compute/graph.ts";
import {
  type BatchGenerator,
  type BatchGeneratorOptions,
  type BatchRequest,
  createBatchGenerator,
  type Trajectory,
} from "../../../src/llm/inference/batch-generator.ts";
import { createGenerator } from "../../../src/llm/inference/generator.ts";
import { hiddenStates, logits, modelParameters } from "../../../src/llm/model/transformer.ts";
import { assertWithin } from "../../compute/close.ts";
import { forEachBackend, testC } from "../../compute/for-each-backend.ts";
import { loadLlamaFixture } from "../model/llama-fixture.ts";

const model = loadLlamaFixture("llama-2layer");
const { config } = model;
const V = config.vocabSize;
const ids = [...model.batch(0).tokens];
const prompt = (length: number, at = 0): number[] => ids.slice(at, at + length);

async function storeOf(backend: Backend): Promise<Store> {
  const store = backend.createStore();
  await model.writeWeights(store);
  return store;
}

async function batchOf(
  backend: Backend,
  options: Partial<BatchGeneratorOptions> = {},
): Promise<BatchGenerator> {
  const store = await storeOf(backend);
  return createBatchGenerator(backend, store, config, {
    ...{ precision: "f32", slots: 3, chunk: 8 },
    ...options,
  });
}

const asked = (request: Partial<BatchRequest>): BatchRequest => ({
  ...{ prompt: prompt(5), seed: 0, maxTokens: 30, temperature: 0 },
  ...request,
});

/** Trajectories in the order of their requests, each exactly once. */
async function trajectories(
  batch: BatchGenerator,
  requests: readonly BatchRequest[],
  signal?: AbortSignal,
): Promise<Trajectory[]> {
  const out: Trajectory[] = [];
  for await (const { index, trajectory } of batch.generate(requests, signal && { signal })) {
    assert.equal(out[index], undefined, `request ${index} ended twice`);
    out[index] = trajectory;
  }
  assert.equal(Object.keys(out).length, requests.length);
  return out;
}

async function alone(batch: BatchGenerator, request: Partial<BatchRequest>): Promise<Trajectory> {
  const [trajectory] = await trajectories(batch, [asked(request)]);
  return trajectory as Trajectory;
}

/** Ten requests of all lengths of prompt and text. */
const many = (temperature: number): BatchRequest[] =>
  [5, 1, 17, 23, 9, 8, 2, 12, 16, 10].map((length, i) =>
    asked({ prompt: prompt(length, 7 * i), seed: i, maxTokens: 3 + ((5 * i) % 9), temperature }),
  );

for (const temperature of [0, 0.9])
  forEachBackend(`each text is the one that comes alone (${temperature})`, async (backend) => {
    const generator = createGenerator(backend, await storeOf(backend), config, {
      precision: "f32",
    });
    const requests = many(temperature);
    const wanted: number[][] = [];
    for (const { prompt, ...options } of requests) {
      const text = [...prompt];
      for await (const id of generator.generate(prompt, options)) text.push(id);
      wanted.push(text);
    }
    for (const [slots, chunk] of [
      [1, 8],
      [3, 8],
      [16, 24],
      [32, 1],
    ]) {
      const batch = await batchOf(backend, { slots: slots as number, chunk: chunk as number });
      const got = await trajectories(batch, requests);
      assert.deepEqual(
        got.map((t) => [...t.ids]),
        wanted,
        `${slots} slots, chunks of ${chunk}`,
      );
      for (const t of got) assert.equal(t.finishReason, "length");
      await batch.dispose();
    }
  });

for (const precision of ["f32", "bf16"] as const)
  testC(`neighbours, slot and order change no bit (${precision})`, async (backend) => {
    // Wide enough for two widths of decode, and for two lanes of prefill.
    const batch = await batchOf(backend, { slots: 32, precision });
    const follow = (id: number): "go" | number[] => (id % 5 === 0 ? prompt(1 + (id % 7)) : "go");
    const one = asked({ prompt: prompt(11), seed: 5, temperature: 1, follow });
    const lonely = await alone(batch, one);
    assert.ok(lonely.sampled.includes(0, 12), "ids were forced");
    const others = (n: number, seed: number): BatchRequest[] =>
      Array.from({ length: n }, (_, i) =>
        asked({ prompt: prompt(1 + ((i * 5) % 20), i), seed: seed + i, temperature: 1, follow }),
      );
    for (const [before, after] of [
      [0, 60],
      [7, 0],
      [31, 20],
      [45, 3],
    ]) {
      const company = [...others(before as number, 100), one, ...others(after as number, 900)];
      const got = (await trajectories(batch, company))[before as number];
      assert.deepEqual(got, lonely, `after ${before}, before ${after}`);
    }
    await batch.dispose();
  });

/** ln p of every id [V] after each of `tokens`: no cache, f64 softmax. */
async function logSoftmaxes(store: Store, tokens: readonly number[]): Promise<Float64Array[]> {
  const sequence = input("ids", [1, tokens.length], "i32");
  const params = modelParameters(config);
  const { hidden } = hiddenStates(config, params, sequence, { precision: "f32" });
  const outputs = { logits: logits(config, params, hidden, "f32") };
  const program = await createReferenceBackend().compile({ outputs }, store);
  const all = (await program.run({ ids: Int32Array.from(tokens) })).logits as Float32Array;
  return tokens.map((_, t) => {
    const row = Float64Array.from(all.subarray(t * V, (t + 1) * V));
    const total = row.reduce((sum, x) => sum + Math.exp(x), 0);
    return row.map((x) => x - Math.log(total));
  });
}

// f32: sums in another order. bf16: logits reach 2, where its numbers stand 2^-6 apart.
const tolerances = { f32: 1e-5, bf16: 3e-2 } as const;

for (const precision of ["f32", "bf16"] as const)
  forEachBackend(
    `log-probabilities are those of a full forward (${precision})`,
    async (backend) => {
      const oracle = await storeOf(createReferenceBackend());
      const batch = await batchOf(backend, { precision, slots: 4 });
      // Hot: log-probabilities stay those of temperature 1.
      for (const t of await trajectories(batch, many(1.7))) {
        const rows = await logSoftmaxes(oracle, [...t.ids]);
        assert.deepEqual(
          [...t.sampled],
          Array.from(t.ids, (_, i) => +(i >= t.promptLength)),
        );
        const wanted = [t.logprobs, t.entropies].map((x) => new Float32Array(x.length));
        for (let i = t.promptLength; i < t.ids.length; i++) {
          const row = rows[i - 1] as Float64Array;
          (wanted[0] as Float32Array)[i] = row[t.ids[i] as number] as number;
          (wanted[1] as Float32Array)[i] = row.reduce((sum, x) => sum - Math.exp(x) * x, 0);
        }
        const tolerance = tolerances[precision];
        assertWithin("logprobs", t.logprobs, wanted[0] as Float32Array, tolerance);
        assertWithin("entropies", t.entropies, wanted[1] as Float32Array, tolerance);
      }
    },
  );

testC("drawn ids have the model's distribution", async (backend) => {
  const draws = 4000;
  const requests = Array.from({ length: draws }, (_, seed) =>
    asked({ prompt: prompt(4), seed, maxTokens: 1, temperature: 1 }),
  );
  const batch = await batchOf(backend, { slots: 64, vocabSize: 90 });
  const counts = new Array<number>(90).fill(0);
  for (const t of await trajectories(batch, requests))
    counts[t.ids[4] as number] = (counts[t.ids[4] as number] as number) + 1;
  const row = (await logSoftmaxes(await storeOf(createReferenceBackend()), prompt(4)))[3];
  const weights = Array.from((row as Float64Array).subarray(0, 90), Math.exp);
  const total = weights.reduce((a, b) => a + b, 0);
  const chiSquare = weights.reduce((sum, w, id) => {
    const expected = (draws * w) / total;
    return sum + ((counts[id] as number) - expected) ** 2 / expected;
  }, 0);
  // The 99.9 % point of chi-square with 89 degrees of freedom.
  assert.ok(chiSquare < 135.98, `chi-square ${chiSquare}`);
});

const reference = createReferenceBackend();

forEachBackend("forced ids stand in the text, and the text goes on from them", async (backend) => {
  // Long and short backlogs: one goes through prefill, the other through decode.
  for (const forced of [prompt(9, 30), prompt(1, 30), prompt(3, 40)]) {
    const batch = await batchOf(backend);
    const generator = createGenerator(backend, await storeOf(backend), config, {
      precision: "f32",
    });
    let sampled = 0;
    const follow = (): "go" | readonly number[] => (++sampled === 2 ? forced : "go");
    const t = await alone(batch, { maxTokens: 5, follow });
    const wanted = prompt(5);
    const marks = [0, 0, 0, 0, 0, 1, 1, ...forced.map(() => 0), 1, 1, 1];
    for (const mark of marks.slice(5)) {
      const options = { temperature: 0, seed: 0, maxTokens: 1 };
      if (mark === 0) wanted.push(forced[wanted.length - 7] as number);
      else for await (const id of generator.generate([...wanted], options)) wanted.push(id);
    }
    assert.deepEqual([...t.ids], wanted);
    assert.deepEqual([...t.sampled], marks);
    assert.equal(t.finishReason, "length");
    t.logprobs.forEach((x, i) => void assert.equal(x === 0, marks[i] === 0));
  }
});

test("a text ends at maxTokens, a stop id, the follower's word, the end of the context", async () => {
  const batch = await batchOf(reference);
  const full = await alone(batch, {});
  assert.equal(full.ids.length, config.sequenceLen);
  assert.equal(full.finishReason, "length");
  const three = await alone(batch, { maxTokens: 3 });
  assert.deepEqual([...three.ids], [...full.ids.slice(0, 8)]);
  assert.equal(three.finishReason, "length");
  const stop = full.ids[7] as number;
  const upTo = full.ids.indexOf(stop, 5) + 1;
  const stopped = await alone(batch, { stop: [stop] });
  assert.deepEqual([...stopped.ids], [...full.ids.slice(0, upTo)]);
  assert.equal(stopped.finishReason, "stop");
  const asksToStop = await alone(batch, { follow: (id) => (id === stop ? "stop" : "go") });
  assert.deepEqual(asksToStop, stopped);
  const flooded = await alone(batch, { follow: () => prompt(50) });
  assert.deepEqual([...flooded.ids.slice(6)], prompt(18));
  assert.equal(flooded.finishReason, "length");
  const last = await alone(batch, { maxTokens: 1, follow: () => prompt(3) });
  assert.deepEqual([...last.ids], [...full.ids.slice(0, 6)]);
});

test("an abort ends every request that is left with what it has", async () => {
  const batch = await batchOf(reference);
  const controller = new AbortController();
  const requests = many(0).map((r) => ({ ...r, maxTokens: r.prompt.length === 5 ? 2 : 30 }));
  const ended: Trajectory[] = [];
  for await (const { index, trajectory } of batch.generate(requests, controller)) {
    ended[index] = trajectory;
    controller.abort();
  }
  assert.equal(Object.keys(ended).length, requests.length);
  const { ids, finishReason } = ended[0] as Trajectory;
  assert.deepEqual([ids.length, finishReason], [7, "length"]);
  for (const [i, t] of ended.slice(1).entries()) {
    assert.equal(t.finishReason, "aborted");
    assert.equal(t.sampled.length, t.ids.length);
    assert.deepEqual([...t.ids.slice(0, t.promptLength)], requests[i + 1]?.prompt);
  }
  assert.ok(ended.some((t) => t.finishReason === "aborted" && t.ids.length > t.promptLength));
  assert.equal((await trajectories(batch, requests, controller.signal)).length, 10);
});

test("a consumer that leaves early frees the generator; two batches at once are refused", async () => {
  const batch = await batchOf(reference);
  const whole = await trajectories(batch, many(0.9));
  for await (const _ of batch.generate(many(0.9))) break;
  const open = batch.generate(many(0.9));
  await open.next();
  await assert.rejects(batch.generate(many(0)).next(), /one batch at a time/);
  await open.return(undefined);
  assert.deepEqual(await trajectories(batch, many(0.9)), whole);
  assert.deepEqual(await trajectories(batch, []), []);
});

for (const precision of ["f32", "bf16"] as const)
  forEachBackend(`a batch is of the parameters at its start (${precision})`, async (backend) => {
    const store = await storeOf(backend);
    const options = { precision, slots: 3, chunk: 8 } as const;
    const batch = createBatchGenerator(backend, store, config, options);
    const names = store.names().filter((name) => name.startsWith("model") || name === "lm_head");
    const before = await trajectories(batch, many(0));
    const step = async (to: Store): Promise<void> => {
      for (const [i, name] of names.entries()) {
        const data = (await to.read(name)) as Float32Array;
        await to.write(
          name,
          data.map((x, k) => x + 0.1 * Math.sin(i + k)),
        );
      }
    };
    await step(store);
    const after = await trajectories(batch, many(0));
    assert.notDeepEqual(after, before);
    const fresh = await storeOf(backend);
    await step(fresh);
    const twin = createBatchGenerator(backend, fresh, config, options);
    assert.deepEqual(await trajectories(twin, many(0)), after);
  });

test("weights that are no numbers end the batch with DIVERGED", async () => {
  const store = await storeOf(reference);
  await store.write("model.norm.weight", new Float32Array(config.nEmbd).fill(Number.NaN));
  const batch = createBatchGenerator(reference, store, config, { precision: "f32", slots: 2 });
  await assert.rejects(alone(batch, {}), { code: "DIVERGED", message: /request 0 must be finite/ });
});

const refused: readonly [string, Partial<BatchRequest>, RegExp][] = [
  ["an empty prompt", { prompt: [] }, /prompt must hold a token, got none/],
  ["a prompt that fills the context", { prompt: prompt(24) }, /context of 24 tokens, got 24/],
  ["an id beyond the table", { prompt: [1, 97] }, /token ids must lie in \[0, 97\), got 97/],
  ["no new tokens", { maxTokens: 0 }, /maxTokens must be a whole number, 1 or more, got 0/],
  ["a negative temperature", { temperature: -1 }, /temperature must be 0 or more, got -1/],
  ["a forced id beyond the table", { follow: () => [97] }, /token ids must lie .* got 97/],
];

for (const [name, request, message] of refused)
  test(`refused: ${name}`, async () => {
    await assert.rejects(alone(await batchOf(reference), request), { code: "CONFIG", message });
  });

const misfits: readonly [Partial<BatchGeneratorOptions>, RegExp][] = [
  [{ slots: 0 }, /slots must be a whole number, 1 or more, got 0/],
  [{ contextLen: 25 }, /contextLen must be .* from 1 to 24, got 25/],
  [{ chunk: 25 }, /chunk must be .* from 1 to 24, got 25/],
  [{ vocabSize: 98 }, /vocabSize must be .* from 1 to 97, got 98/],
];

for (const [options, message] of misfits)
  test(`refused: ${JSON.stringify(options)}`, () =>
    assert.rejects(batchOf(reference, options), { code: "CONFIG", message }));
