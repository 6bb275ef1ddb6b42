/**
 * Speculative decoding: guesses may change the work, never the text. Drawn tokens are held against
 * exact probabilities from a full forward by chi-square, with fixed seeds.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backend } from "../../../src/compute/backend.ts";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import {
  type CheckpointEngine,
  createTokenEngine,
} from "../../../src/llm/inference/checkpoint-engine.ts";
import type { Draft } from "../../../src/llm/inference/draft.ts";
import {
  chancesOf,
  drawFrom,
  lookUp,
  settle,
  speculationAt,
} from "../../../src/llm/inference/speculate.ts";
import type { SampledToken, TokenSampler } from "../../../src/llm/inference/token-engine.ts";
import { createTokenSampler } from "../../../src/llm/inference/token-sampler.ts";
import { testC } from "../../compute/for-each-backend.ts";
import {
  follow,
  fullForward,
  greedy,
  loudConfig,
  loudEngine,
  loudStore,
  plainGreedy,
  take,
  text,
} from "./loud-model.ts";

const { vocabSize: V } = loudConfig;
const reference = createReferenceBackend();
/** `sample` as the text level has it. */
const plain = (seed: number, temperature: number): TokenSampler =>
  createTokenSampler({ seed, temperature });

test("a text is looked up where the most of its last ids stood, the latest first", () => {
  const cases: readonly [ids: number[], longest: number, count: number, found: number[]][] = [
    [[], 3, 4, []],
    [[1], 3, 4, []],
    [[1, 2, 3], 3, 4, []],
    [[1, 2, 9, 1, 3, 1, 2], 3, 3, [9, 1, 3]],
    [[5, 1, 2, 7, 6, 1, 2, 8, 5, 1, 2], 3, 2, [7, 6]],
    [[5, 1, 2, 7, 6, 1, 2, 8, 5, 1, 2], 2, 2, [8, 5]],
    [[4, 4, 4], 3, 5, [4]],
    [[1, 2, 1, 2], 9, 9, [1, 2]],
  ];
  for (const [ids, longest, count, found] of cases)
    assert.deepEqual(lookUp(ids, longest, count), found, `${ids}`);
});

/** The 99.9 % point of chi-square, by Wilson and Hilferty's cube. */
const farPoint = (freedom: number): number =>
  freedom * (1 - 2 / (9 * freedom) + 3.0902 * Math.sqrt(2 / (9 * freedom))) ** 3;

/** Cells of little weight are one cell. */
function assertDistributed(counts: Float64Array, chances: Float64Array, where: string): void {
  const draws = counts.reduce((a, b) => a + b, 0);
  let [chiSquare, cells, restCount, restChance] = [0, 0, 0, 0];
  const cell = (count: number, expected: number): void => {
    chiSquare += (count - expected) ** 2 / expected;
    cells++;
  };
  for (const [id, chance] of chances.entries())
    if (draws * chance >= 5) cell(counts[id] as number, draws * chance);
    else [restCount, restChance] = [restCount + (counts[id] as number), restChance + chance];
  if (draws * restChance >= 5) cell(restCount, draws * restChance);
  else assert.ok(restCount <= 25, `${where}: ${restCount} of unlikely ids`);
  assert.ok(chiSquare < farPoint(cells - 1), `${where}: chi-square ${chiSquare} of ${cells} cells`);
}

const rows = Array.from({ length: 4 }, (_, i) =>
  chancesOf(
    Float32Array.from(text(12, i), (x) => x / 20),
    1,
  ),
) as [Float64Array, Float64Array, Float64Array, Float64Array];

for (const [name, p, q] of [
  ["another model", rows[0], rows[1]],
  ["the model itself", rows[2], rows[2]],
  ["a draft that never says some", rows[3], rows[0].map((x, id) => (id % 3 === 0 ? 0 : 3 * x))],
] as const)
  test(`what is kept and what stands in for the rest have the model's chances: ${name}`, () => {
    const total = q.reduce((a, b) => a + b, 0);
    const chances = q.map((x) => x / total);
    const counts = new Float64Array(p.length);
    const sure = new Float64Array(p.length);
    for (let seed = 0; seed < 20000; seed++) {
      const at = speculationAt(seed, 7);
      const id = settle(p, { id: drawFrom(chances, at.draft), chances }, at);
      counts[id] = (counts[id] as number) + 1;
      const other = settle(p, { id: 4 }, at);
      sure[other] = (sure[other] as number) + 1;
    }
    assertDistributed(counts, p, name);
    assertDistributed(sure, p, "a guess that was certain");
  });

/** The loud model guesses for itself as it is in seed 2: often wrong. */
async function stranger(backend: Backend): Promise<CheckpointEngine> {
  return createTokenEngine(backend, await loudStore(backend, 2), loudConfig, { precision: "f32" });
}

async function tokensOf(
  engine: CheckpointEngine,
  prompt: readonly number[],
  sampler: TokenSampler,
): Promise<SampledToken[]> {
  await using session = engine.open();
  await session.append(prompt);
  const tokens: SampledToken[] = [];
  for await (const token of session.generate({ sampler, maxTokens: 16, logprobs: 2 }))
    tokens.push(token);
  return tokens;
}

/** A text that says everything twice, so that there is something to look up. */
const prompts = [[...text(30), ...text(30)], text(1)];

testC("guesses change no token: alike, strange, looked up", async (backend) => {
  const without = await loudEngine(backend, { maxBatch: 1 });
  const drafts: readonly Draft[] = [
    { kind: "lookup" },
    { kind: "model", engine: without, tokens: 7 },
    { kind: "model", engine: await stranger(backend), tokens: 7 },
  ];
  for (const [d, draft] of drafts.entries()) {
    const engine = await loudEngine(backend, { maxBatch: 1, draft });
    let drafted = 0;
    for (const [i, prompt] of prompts.entries()) {
      const samplers: readonly (() => TokenSampler)[] = [
        () => plainGreedy,
        () => greedy,
        () => createTokenSampler({ seed: i, topK: 9 }),
        () => createTokenSampler({ temperature: 0, frequencyPenalty: 2 }, { ids: prompt }),
        // Looked-up guesses are kept where the text's own draw says the same.
        ...(draft.kind === "lookup" ? [() => plain(i, 0.8)] : []),
      ];
      for (const [s, sampler] of samplers.entries()) {
        const wanted = await tokensOf(without, prompt, sampler());
        const got = await tokensOf(engine, prompt, sampler());
        const ids = (tokens: SampledToken[]): number[] => tokens.map(({ id }) => id);
        assert.deepEqual(ids(got), ids(wanted), `draft ${d}, prompt ${i}, sampler ${s}`);
        for (const [t, { logprob = 0, top }] of got.entries()) {
          assert.ok(Math.abs(logprob - (wanted[t]?.logprob ?? 1)) < 1e-3);
          assert.equal(top?.length, 2);
        }
        drafted += got.filter((token) => token.drafted).length;
      }
    }
    const { draftedTokens, acceptedTokens, completionTokens } = engine.stats();
    assert.equal(acceptedTokens, drafted);
    assert.ok(draftedTokens >= acceptedTokens && (acceptedTokens > 0 || d === 2), `draft ${d}`);
    // The model knows what itself will say, where it says the likeliest.
    if (d === 1) assert.ok(acceptedTokens > 0.4 * completionTokens, `${acceptedTokens}`);
    assert.equal(engine.stats().sessions, 0);
    engine.dropPrefixes();
    assert.equal(engine.stats().pagesUsed, 0);
  }
  assert.equal(without.stats().sessions, 0);
});

testC("drawn tokens have the model's distribution, whoever guesses", async (backend) => {
  const [prompt, draws, temperature] = [text(20), 1200, 1.6];
  const first = chancesOf(
    (await fullForward(backend, prompt)).logits.subarray(19 * V, 20 * V),
    temperature,
  );
  const second = new Float64Array(V);
  for (let id = 0; id < V; id++) {
    const { logits } = await fullForward(backend, [...prompt, id]);
    const after = chancesOf(logits.subarray(20 * V, 21 * V), temperature);
    for (const [next, p] of after.entries())
      second[next] = (second[next] as number) + (first[id] as number) * p;
  }
  const draft: Draft = { kind: "model", engine: await stranger(backend), tokens: 2 };
  const engine = await loudEngine(backend, { maxBatch: 1, draft });
  const counts = [new Float64Array(V), new Float64Array(V)] as const;
  await using session = engine.open();
  await session.append(prompt);
  for (let seed = 0; seed < draws; seed++) {
    // Three, so that the second is guessed as well.
    const ids = await take(session, { sampler: plain(seed, temperature), maxTokens: 3 });
    for (const [i, count] of counts.entries()) {
      const id = ids[i] as number;
      count[id] = (count[id] as number) + 1;
    }
    session.truncate(20);
  }
  assertDistributed(counts[0], first, "first");
  assertDistributed(counts[1], second, "second");
  const { draftedTokens, acceptedTokens } = engine.stats();
  const share = acceptedTokens / draftedTokens;
  assert.ok(share > 0.02 && share < 0.9, `kept and refused: ${share}`);
});

test("a reader who leaves or changes the text in the middle of a round finds it whole", async () => {
  const without = await loudEngine(reference);
  const engine = await loudEngine(reference, { draft: { kind: "model", engine: without } });
  const wanted = await follow(without, text(20), { maxTokens: 12 });
  await using session = engine.open();
  await session.append(text(20));
  for (let made = 1; made <= 4; made++) {
    for await (const _ of session.generate({ sampler: plainGreedy })) break;
    assert.deepEqual(session.ids.slice(20), wanted.slice(0, made));
    await using fork = session.fork();
    const rest = await take(fork, { maxTokens: 12 - made });
    assert.deepEqual(rest, wanted.slice(made));
  }
  session.truncate(20);
  const made: number[] = [];
  for await (const { id } of session.generate({ sampler: plainGreedy, maxTokens: 4 })) {
    made.push(id);
    if (made.length !== 2) continue;
    session.truncate(21);
    await session.append([8]);
  }
  assert.deepEqual(made.slice(0, 2), wanted.slice(0, 2));
  const changed = [...text(20), wanted[0] as number, 8];
  assert.deepEqual(made.slice(2), await follow(without, changed, { maxTokens: 2 }));
  const controller = new AbortController();
  const before = session.ids.length;
  for await (const _ of session.generate({ sampler: plainGreedy, signal: controller.signal }))
    controller.abort();
  assert.equal(session.ids.length, before + 1);
});

test("an abort at any moment of a round leaves the text whole", async () => {
  const without = await loudEngine(reference);
  // Its last ids stood before, and something else may follow them now.
  const prompt = [...text(20), ...text(9), 1, ...text(9)];
  const wanted = await follow(without, [...prompt, 5, 6], { maxTokens: 6 });
  for (let moment = 0; moment < 80; moment += 4) {
    const engine = await loudEngine(reference, { draft: { kind: "lookup" } });
    await using session = engine.open();
    await session.append(prompt);
    const controller = new AbortController();
    const texts = session.generate({ sampler: plainGreedy, signal: controller.signal });
    const next = texts.next();
    for (let i = 0; i < moment; i++) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await next;
    await texts.return("aborted");
    if (session.ids.length > prompt.length) session.truncate(prompt.length);
    await session.append([5, 6]);
    assert.deepEqual(await take(session, { maxTokens: 6 }), wanted, `moment ${moment}`);
  }
});

test("in company nobody guesses, and texts stay the same", async () => {
  const without = await loudEngine(reference);
  const engine = await loudEngine(reference, { draft: { kind: "lookup" } });
  const [a, b] = [text(30), text(30, 1)].map((half) => [...half, ...half]) as [number[], number[]];
  const wanted = [a, b].map((prompt) => follow(without, prompt, { maxTokens: 20 }));
  const got = [a, b].map((prompt) => follow(engine, prompt, { maxTokens: 20 }));
  assert.deepEqual(await Promise.all(got), await Promise.all(wanted));
});

test("guesses end with the context, and want for nothing but memory", async () => {
  const without = await loudEngine(reference);
  const draft: Draft = { kind: "model", engine: await loudEngine(reference, { contextLen: 40 }) };
  const engine = await loudEngine(reference, { draft, contextLen: 50, pages: 4 });
  await using session = engine.open();
  await session.append(text(30));
  const made = await take(session);
  assert.equal(session.ids.length, 50);
  assert.deepEqual(made, await follow(without, text(30), { maxTokens: 20 }));
});

test("a draft of another vocabulary is refused", async () => {
  const small = await loudEngine(reference, { vocabSize: 60 });
  const draft: Draft = { kind: "model", engine: small };
  const message = /vocabulary of 61 tokens, got 60/;
  await assert.rejects(loudEngine(reference, { draft }), { code: "CONFIG", message });
  const wide: Draft = { kind: "lookup", tokens: 16 };
  await assert.rejects(loudEngine(reference, { draft: wide }), { code: "CONFIG" });
});
