/**
 * The engine of checkpoints against a full forward without a cache, and against itself: alone and
 * in company, with and without shared prefixes, forked, restored, cut off. Snapshots hold keys and
 * values as they are stored, so equal snapshots are equal bits.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import type {
  CheckpointEngine,
  TokenEngineOptions,
} from "../../../src/llm/inference/checkpoint-engine.ts";
import { createTokenEngine } from "../../../src/llm/inference/checkpoint-engine.ts";
import type { SampledToken, TokenSampler } from "../../../src/llm/inference/token-engine.ts";
import { createTokenSampler, type TokenMask } from "../../../src/llm/inference/token-sampler.ts";
import { dequantized, quantize, quantSpecs } from "../../../src/llm/model/quantize.ts";
import { assertWithin } from "../../compute/close.ts";
import { forEachBackend, testC } from "../../compute/for-each-backend.ts";
import {
  argmax,
  follow,
  fullForward,
  greedy,
  loudConfig,
  loudEngine,
  loudStore,
  plain,
  plainGreedy,
  take,
  text,
} from "./loud-model.ts";

const { vocabSize: V, nEmbd: C } = loudConfig;
const reference = createReferenceBackend();

/** Closes the engine and says that nothing is left behind. */
async function close(engine: CheckpointEngine): Promise<void> {
  assert.deepEqual([engine.stats().sessions, engine.stats().waiting], [0, 0]);
  engine.dropPrefixes();
  assert.equal(engine.stats().pagesUsed, 0);
  await engine[Symbol.asyncDispose]();
}

const rowOf = (rows: Float32Array, at: number): Float32Array => rows.slice(at * V, (at + 1) * V);

function logSoftmax(row: Float32Array): Float64Array {
  const total = row.reduce((sum, x) => sum + Math.exp(x), 0);
  return Float64Array.from(row, (x) => x - Math.log(total));
}

forEachBackend("cached tokens and logits are those of a full forward", async (backend) => {
  const engine = await loudEngine(backend, { maxBatch: 1 });
  for (const length of [1, 2, 15, 16, 17, 33, 70]) {
    const rows: Float32Array[] = [];
    const keeping: TokenSampler = {
      sample: (row) => {
        rows.push(row.slice());
        return argmax(row);
      },
    };
    const prompt = text(length);
    const got = await follow(engine, prompt, { sampler: keeping, maxTokens: 20 });
    const { logits } = await fullForward(backend, [...prompt, ...got]);
    for (const [i, row] of rows.entries()) {
      const wanted = rowOf(logits, length + i - 1);
      assertWithin(`row ${i}`, row, wanted, 1e-4);
      assert.equal(got[i], argmax(wanted), `token ${i} after ${length}`);
    }
  }
  await close(engine);
});

forEachBackend("tokens of an input are scored as a full forward scores them", async (backend) => {
  const engine = await loudEngine(backend, { maxBatch: 1 });
  await using session = engine.open();
  const ids = text(100);
  const tokens: SampledToken[] = [];
  for (const [from, to] of [
    [0, 1],
    [1, 70],
    [70, 71],
    [71, 100],
  ] as const) {
    const scored = await session.append(ids.slice(from, to), { logprobs: 3 });
    tokens.push(...(scored.tokens ?? []));
  }
  assert.deepEqual(
    tokens.map(({ id }) => id),
    ids,
  );
  assert.deepEqual(tokens[0], { id: ids[0], logprob: Number.NaN, top: [] });
  const { logits } = await fullForward(backend, ids);
  for (const [i, { id, logprob, top = [] }] of tokens.entries()) {
    if (i === 0) continue;
    const wanted = logSoftmax(rowOf(logits, i - 1));
    assert.ok(Math.abs((logprob as number) - (wanted[id] as number)) < 1e-4);
    const best = [...wanted.keys()].sort((a, b) => (wanted[b] as number) - (wanted[a] as number));
    assert.deepEqual(
      top.map(({ id }) => id),
      best.slice(0, 3),
    );
    for (const one of top) assert.ok(Math.abs(one.logprob - (wanted[one.id] as number)) < 1e-4);
  }
  await session[Symbol.asyncDispose]();
  await close(engine);
});

/** After an even id an odd one may follow, never 7; after an odd one any even. */
function alternating(): TokenMask {
  const [odd, even] = [0xaaaaaaaa, 0x55555555];
  let words = Uint32Array.of(odd, odd);
  return {
    allowed: () => words,
    accept: (id) => {
      words = id % 2 === 0 ? Uint32Array.of(odd & ~(1 << 7), odd) : Uint32Array.of(even, even);
    },
  };
}

forEachBackend("under a mask the engine draws what the sampler would", async (backend) => {
  const engine = await loudEngine(backend, { maxBatch: 4 });
  const drawn = async (i: number, isOwn: boolean): Promise<number[]> => {
    await using session = engine.open();
    await session.append(text(12, i));
    const sampling = { seed: i, temperature: [0, 0.8, 3][i % 3] as number };
    const { masked, ...sampler } = createTokenSampler(sampling, { mask: alternating() });
    assert.ok(masked);
    const { sample } = sampler;
    const never: typeof sample = () => assert.fail("the engine draws");
    return take(session, {
      sampler: isOwn ? { masked, sample: never } : { sample },
      maxTokens: 24,
    });
  };
  const seeds = [0, 1, 2, 3, 4, 5];
  const together = await Promise.all(seeds.map((i) => drawn(i, true)));
  const chosen = await Promise.all(seeds.map((i) => drawn(i, false)));
  assert.deepEqual(together, chosen);
  for (const ids of together)
    for (const [i, id] of ids.entries())
      assert.ok(i === 0 ? id % 2 === 1 : id % 2 !== (ids[i - 1] as number) % 2, `${ids}`);
  const nothing = { allowed: () => new Uint32Array(2), accept: () => undefined };
  const sampler = createTokenSampler({ temperature: 0 }, { mask: nothing });
  await using session = engine.open();
  await session.append([1]);
  await assert.rejects(take(session, { sampler }), { code: "DIVERGED" });
  assert.deepEqual(session.ids, [1]);
  await session[Symbol.asyncDispose]();
  await close(engine);
});

/** Requests of all lengths and all ways of choosing. */
const requests = Array.from({ length: 11 }, (_, i) => ({
  prompt: text(1 + ((i * 37) % 90), i),
  maxTokens: 5 + ((i * 3) % 9),
  sampler: [plainGreedy, plain(i), greedy, plain(i, 0.7)][i % 4] as TokenSampler,
  ...(i % 3 === 0 ? { logprobs: 2 } : {}),
}));

async function reply(
  engine: CheckpointEngine,
  request: (typeof requests)[number],
): Promise<SampledToken[]> {
  await using session = engine.open();
  await session.append(request.prompt);
  const tokens: SampledToken[] = [];
  for await (const token of session.generate(request)) tokens.push(token);
  return tokens;
}

const idsOf = (replies: readonly SampledToken[][]): number[][] =>
  replies.map((tokens) => tokens.map(({ id }) => id));

async function replies(engine: CheckpointEngine, together: boolean): Promise<SampledToken[][]> {
  if (together) return Promise.all(requests.map((request) => reply(engine, request)));
  const all: SampledToken[][] = [];
  for (const request of requests) all.push(await reply(engine, request));
  return all;
}

forEachBackend("batched tokens are those of each text alone", async (backend) => {
  const engine = await loudEngine(backend, { maxBatch: 8 });
  const alone = await replies(engine, false);
  assert.deepEqual(idsOf(await replies(engine, true)), idsOf(alone));
  await close(engine);
});

for (const precision of ["f32", "bf16"] as const)
  testC(`steady: company changes no bit (${precision})`, async (backend) => {
    const options = { precision, steady: true, prefixCache: false } as const;
    const engine = await loudEngine(backend, { ...options, maxBatch: 8 });
    const alone = await replies(engine, false);
    assert.deepEqual(await replies(engine, true), alone);
    await close(engine);
  });

/** The state of a timeline after its input came in these pieces. */
async function stateAfter(
  engine: CheckpointEngine,
  ids: readonly number[],
  cuts: readonly number[],
): Promise<Buffer> {
  await using session = engine.open();
  for (const [i, from] of cuts.entries()) await session.append(ids.slice(from, cuts[i + 1]));
  return Buffer.from(await session.snapshot());
}

for (const precision of ["f32", "bf16"] as const)
  testC(
    `known ids give the same bits in any pieces and company (${precision})`,
    async (backend) => {
      const engine = await loudEngine(backend, { precision, prefixCache: false, maxBatch: 8 });
      const ids = text(150);
      const whole = await stateAfter(engine, ids, [0]);
      assert.ok(whole.equals(await stateAfter(engine, ids, [0, 17, 40, 105])));
      const company = requests.map(({ prompt }) => stateAfter(engine, prompt, [0]));
      const all = await Promise.all([...company, stateAfter(engine, ids, [0, 9, 100])]);
      assert.ok(whole.equals(all.at(-1) as Buffer));
      await close(engine);
    },
  );

forEachBackend("shared prefixes change nothing but the work", async (backend) => {
  const engine = await loudEngine(backend, { maxBatch: 8 });
  const apart = await loudEngine(backend, { maxBatch: 8, prefixCache: false });
  const beginning = text(50);
  const cached: number[] = [];
  for (const [i, end] of [[1], [2], [1], [1, 2]].entries()) {
    const prompt = [...beginning, ...end.flatMap((seed) => text(20, seed))];
    await using session = engine.open();
    cached.push((await session.append(prompt)).cached);
    await using other = apart.open();
    assert.equal((await other.append(prompt)).cached, 0);
    assert.deepEqual(await session.snapshot(), await other.snapshot(), `prompt ${i}`);
    assert.deepEqual(await take(session, { maxTokens: 9 }), await take(other, { maxTokens: 9 }));
  }
  // Whole pages of 16, and never the last id: 48 of the beginning, then 64 of 70 or of 90.
  assert.deepEqual(cached, [0, 48, 64, 64]);
  assert.equal(engine.stats().cachedTokens, 176);
  await close(engine);
  await close(apart);
});

test("a text that was made is found again when it comes as an input", async () => {
  const engine = await loudEngine(reference);
  const made = await follow(engine, text(20), { maxTokens: 30 });
  const prompt = [...text(20), ...made, 5];
  await using session = engine.open();
  assert.equal((await session.append(prompt)).cached, 48);
  const fresh = await loudEngine(reference);
  const wanted = await follow(fresh, prompt, { maxTokens: 9 });
  assert.deepEqual(await take(session, { maxTokens: 9 }), wanted);
});

forEachBackend("forks, cuts and snapshots go on as a text of its own would", async (backend) => {
  const engine = await loudEngine(backend, { maxBatch: 8 });
  const go = { maxTokens: 12 };
  const prompt = text(37);
  const wanted = await follow(engine, prompt, go);
  const other = await follow(engine, [...prompt, 7, 8], go);
  await using session = engine.open();
  await session.append(prompt);
  const bytes = await session.snapshot();
  await using fork = session.fork();
  await using second = session.fork();
  await fork.append([7, 8]);
  assert.deepEqual(await Promise.all([fork, session, second].map((one) => take(one, go))), [
    other,
    wanted,
    wanted,
  ]);
  assert.deepEqual(session.ids, [...prompt, ...wanted]);
  await using restored = await engine.restore(bytes);
  assert.deepEqual(restored.ids, prompt);
  assert.deepEqual(await restored.snapshot(), bytes);
  assert.deepEqual(await take(restored, go), wanted);
  session.truncate(38);
  session.truncate(37);
  await session.append([7, 8]);
  assert.deepEqual(await take(session, go), other);
  session.truncate(0);
  assert.equal((await session.append(prompt)).cached, 32);
  assert.deepEqual(await take(session, go), wanted);
  for (const one of [session, fork, second, restored]) await one[Symbol.asyncDispose]();
  await close(engine);
});

testC("a snapshot in bf16 goes on bit for bit, with other pages too", async (backend) => {
  const options = { precision: "bf16", maxBatch: 1 } as const;
  const engine = await loudEngine(backend, options);
  const wide = await loudEngine(backend, { ...options, pageLen: 64 });
  await using session = engine.open();
  await session.append(text(41));
  await take(session, { maxTokens: 5 });
  await using here = await engine.restore(await session.snapshot());
  await using there = await wide.restore(await session.snapshot());
  const go = { sampler: greedy, logprobs: 4, maxTokens: 20 };
  const all: SampledToken[][] = [];
  for (const one of [session, here, there]) {
    const tokens: SampledToken[] = [];
    for await (const token of one.generate(go)) tokens.push(token);
    all.push(tokens);
  }
  assert.deepEqual(all[1], all[0]);
  assert.deepEqual(all[2], all[0]);
});

test("torn snapshots and those of other weights are refused", async () => {
  const engine = await loudEngine(reference);
  await using session = engine.open();
  await session.append(text(20));
  const bytes = await session.snapshot();
  const torn = { code: "CHECKPOINT", message: /must be whole and unchanged/ };
  for (const at of [0, 20, 300, bytes.length - 1])
    await assert.rejects(engine.restore(bytes.map((x, i) => (i === at ? x ^ 1 : x))), torn);
  await assert.rejects(engine.restore(bytes.slice(0, -5)), torn);
  await assert.rejects(engine.restore(new Uint8Array()), torn);
  const store = await loudStore(reference, 2);
  const other = await createTokenEngine(reference, store, loudConfig, { precision: "f32" });
  await assert.rejects(other.restore(bytes), { code: "CHECKPOINT", message: /must be of weights/ });
  const small = await loudEngine(reference, { pages: 1 });
  await assert.rejects(small.restore(bytes), { code: "OVERLOADED" });
  assert.equal(small.stats().pagesUsed, 0);
});

test("what does not fit is refused and changes nothing", async () => {
  const engine = await loudEngine(reference, { pages: 4, contextLen: 100, vocabSize: 50 });
  await using session = engine.open();
  await assert.rejects(take(session), { code: "CONFIG", message: /must hold a token, got none/ });
  await session.append(text(40));
  const refused = [
    [text(61), "CONTEXT", /context of 100 tokens, got 101/],
    [text(41), "OVERLOADED", /room for 80 tokens, got 4 pages of 16 in use/],
    [[61], "CONFIG", /token ids must lie in \[0, 61\), got 61/],
  ] as const;
  for (const [ids, code, message] of refused)
    await assert.rejects(session.append(ids), { code, message });
  await assert.rejects(session.append([1], { logprobs: 21 }), { code: "CONFIG" });
  assert.throws(() => session.truncate(41), { code: "CONFIG", message: /got 41/ });
  assert.deepEqual(session.ids, text(40));
  assert.equal(engine.stats().pagesUsed, 3);
  const made = take(session, { sampler: plain(3) });
  await assert.rejects(made, { code: "OVERLOADED", message: /room for 65 tokens/ });
  assert.equal(session.ids.length, 65);
  assert.ok(session.ids.slice(40).every((id) => id < 50));
  await using second = engine.open();
  await assert.rejects(second.append([1, 2]), { code: "OVERLOADED" });
  session.truncate(40);
  assert.equal((await second.append([1, 2])).cached, 0);
});

test("prefixes that nobody uses give way to who needs memory", async () => {
  const engine = await loudEngine(reference, { pages: 5 });
  const wanted = await follow(engine, text(33), { maxTokens: 9 });
  for (const seed of [1, 2, 3, 0]) {
    const got = await follow(engine, text(33, seed), { maxTokens: 9 });
    if (seed === 0) assert.deepEqual(got, wanted);
  }
  assert.ok(engine.stats().pagesUsed <= 5);
  await close(engine);
});

test("a timeline ends when its context is full, and goes on after a cut", async () => {
  const engine = await loudEngine(reference, { contextLen: 30 });
  await using session = engine.open();
  await session.append(text(28));
  const made = await take(session);
  assert.equal(made.length, 2);
  assert.deepEqual(await take(session), []);
  session.truncate(28);
  assert.deepEqual(await take(session, { maxTokens: 2 }), made);
});

test("an abort ends an input or a text, a break frees its lane", async () => {
  const engine = await loudEngine(reference, { maxBatch: 2 });
  await using session = engine.open();
  const gone = { signal: AbortSignal.abort() };
  await assert.rejects(session.append(text(5), gone), { code: "ABORTED" });
  const controller = new AbortController();
  const long = session.append(text(150), controller);
  setTimeout(() => controller.abort(), 0);
  await assert.rejects(long, { code: "ABORTED" });
  assert.deepEqual(session.ids, []);
  await session.append(text(30));
  assert.deepEqual(await take(session, gone), []);
  const halfway = new AbortController();
  const texts = session.generate({ sampler: plainGreedy, signal: halfway.signal });
  const first = await texts.next();
  const second = texts.next();
  halfway.abort();
  assert.deepEqual(await second, { done: true, value: "aborted" });
  assert.deepEqual(session.ids, [...text(30), (first.value as SampledToken).id]);
  for await (const _ of session.generate({ sampler: plainGreedy })) break;
  assert.equal(session.ids.length, 32);
  assert.deepEqual(session.ids.slice(30), await follow(engine, text(30), { maxTokens: 2 }));
  await session[Symbol.asyncDispose]();
  await close(engine);
});

test("a session that is closed while it is served leaves nothing", async () => {
  const engine = await loudEngine(reference);
  const session = engine.open();
  const append = session.append(text(140));
  await session[Symbol.asyncDispose]();
  await assert.rejects(append, { code: "ABORTED" });
  await assert.rejects(session.append([1]), /must be open/);
  const other = engine.open();
  await other.append(text(20));
  const texts = other.generate({ sampler: plainGreedy });
  const next = texts.next();
  await other[Symbol.asyncDispose]();
  assert.deepEqual(await next, { done: true, value: "aborted" });
  await close(engine);
});

test("two calls at once on one session are refused; between tokens anything goes", async () => {
  const engine = await loudEngine(reference);
  await using session = engine.open();
  const append = session.append(text(20));
  await assert.rejects(session.append([1]), /one call at a time/);
  assert.throws(() => session.truncate(0), /one call at a time/);
  await append;
  const made: number[] = [];
  for await (const { id } of session.generate({ sampler: plainGreedy, maxTokens: 3 })) {
    made.push(id);
    if (made.length === 1) await session.append([4, 5]);
  }
  const wanted = await follow(engine, [...text(20), made[0] as number, 4, 5], { maxTokens: 2 });
  assert.deepEqual(made.slice(1), wanted);
});

forEachBackend("an embedding is the mean of the last hidden states", async (backend) => {
  const engine = await loudEngine(backend, { maxBatch: 1 });
  const rows = [text(70), text(1), text(16, 4)];
  for (const [i, vector] of (await engine.embed(rows)).entries()) {
    const { hidden } = await fullForward(backend, rows[i] as number[]);
    const mean = Float32Array.from({ length: C }, (_, c) =>
      hidden.reduce((sum, x, at) => sum + (at % C === c ? x : 0), 0),
    );
    const norm = Math.hypot(...mean);
    assertWithin(
      "embedding",
      vector,
      mean.map((x) => x / norm),
      1e-5,
    );
  }
  await assert.rejects(engine.embed([[]]), { code: "CONFIG" });
  await close(engine);
});

test("weights that are no numbers end the text with DIVERGED, the timeline stays", async () => {
  const store = await loudStore(reference);
  await store.write("model.norm.weight", new Float32Array(C).fill(Number.NaN));
  const engine = await createTokenEngine(reference, store, loudConfig, { precision: "f32" });
  await using session = engine.open();
  await session.append(text(17));
  for (const sampler of [plainGreedy, plain(1)])
    await assert.rejects(take(session, { sampler }), { code: "DIVERGED" });
  await assert.rejects(take(session, { sampler: greedy, logprobs: 1 }), { code: "DIVERGED" });
  assert.deepEqual(session.ids, text(17));
});

for (const weights of ["q8_0", "q4_0"] as const)
  forEachBackend(
    `quantised weights say what their numbers stand for (${weights})`,
    async (backend) => {
      const engine = await loudEngine(backend, { weights, maxBatch: 1 });
      const plainStore = await loudStore(backend);
      for (const { name, shape, format } of quantSpecs(loudConfig, weights)) {
        const values = Float32Array.from(await plainStore.read(name));
        await plainStore.write(name, dequantized(quantize(format, values, shape)));
      }
      const options = { precision: "f32", maxBatch: 1, pages: 160 } as const;
      const twin = await createTokenEngine(backend, plainStore, loudConfig, options);
      const scores = async (one: CheckpointEngine): Promise<Float32Array> => {
        await using session = one.open();
        const { tokens = [] } = await session.append(text(60), { logprobs: 0 });
        return Float32Array.from(tokens.slice(1), ({ logprob = 0 }) => logprob);
      };
      // Activations may be rounded to 8 bits as well.
      const [got, wanted] = [await scores(engine), await scores(twin)];
      const off = got.map((x, i) => Math.abs(x - (wanted[i] as number)));
      const mean = off.reduce((a, b) => a + b, 0) / off.length;
      assert.ok(mean < 0.1, `mean difference ${mean}`);
      assert.notEqual(engine.fingerprint, twin.fingerprint);
      await close(engine);
      await close(twin);
    },
  );

test("memory is given in bytes or in pages", async () => {
  const store = await loudStore(reference);
  const open = (kvBytes: number): Promise<CheckpointEngine> =>
    createTokenEngine(reference, store, loudConfig, { precision: "f32", kvBytes });
  // Two layers, keys and values, 16 tokens of 16 numbers of 4 bytes: 4096 a page.
  assert.equal((await open(20_000)).stats().pagesTotal, 4);
  const message = /pages must be a whole number, 1 or more, got 0/;
  await assert.rejects(open(4095), { code: "CONFIG", message });
});

const misfits: readonly [Partial<TokenEngineOptions>, RegExp][] = [
  [{ contextLen: 161 }, /contextLen must be .* from 1 to 160, got 161/],
  [{ vocabSize: 62 }, /vocabSize must be .* from 1 to 61, got 62/],
  [{ maxBatch: 0 }, /maxBatch must be .* got 0/],
  [{ pageLen: 24 }, /pageLen must be 16, 32 or 64, got 24/],
  [{ kvBytes: 1e6, pages: 3 }, /kvBytes or pages, got both/],
  [{ weights: "bf16" }, /weights must be "f32", .* got "bf16"/],
];

for (const [options, message] of misfits)
  test(`refused: ${JSON.stringify(options)}`, async () => {
    await assert.rejects(loudEngine(reference, options), { code: "CONFIG", message });
  });
