/** The parts of the loop, each against an answer worked out apart from it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { type TokenSource, tokenDocuments } from "../../../src/llm/data/shards/token-documents.ts";
import { parameterSpecs } from "../../../src/llm/model/parameters.ts";
import { countParameters } from "../../../src/llm/model/size.ts";
import { completeConfig } from "../../../src/llm/pretrain/complete-config.ts";
import { type PretrainConfig, pretrainOptions } from "../../../src/llm/pretrain/config.ts";
import { renderLossCurve } from "../../../src/llm/pretrain/loss-curve.ts";
import type { StepRecord } from "../../../src/llm/pretrain/metric-records.node.ts";
import { presets } from "../../../src/llm/pretrain/presets.ts";
import { compileEvaluator } from "../../../src/llm/run/held-out.ts";
import { renderStep } from "../../../src/llm/run/progress-line.ts";
import { createSpikeState, largestNorm, noteOutcome } from "../../../src/llm/run/spike-guard.ts";
import { tokensPerStep } from "../../../src/llm/run/stage-rates.ts";
import { createTalk } from "../../../src/llm/run/talk.ts";
import { resolveOptions } from "../../../src/options.ts";

const signal = new AbortController().signal;

function configOf(values: Partial<PretrainConfig>): PretrainConfig {
  return resolveOptions(pretrainOptions, { from: "test", values });
}

test("a model that knows nothing needs log2 V bits a token, in the mixture's proportions", async () => {
  const V = 16;
  const asked = configOf({ depth: 1, nEmbd: 8, nHead: 2, nFfn: 8, sequenceLen: 4, batchSize: 2 });
  const { config, model } = completeConfig(asked, V, "f32");
  const backend = createReferenceBackend();
  const store = backend.createStore();
  // All zeros: every logit is 0, every token equally likely.
  for (const { name, shape } of parameterSpecs(model)) store.define(name, { shape, dtype: "f32" });
  const tokens = (count: number, id: number): number[] => new Array(count).fill(id);
  const source = (name: string, weight: number, documents: number[][]): TokenSource => {
    const bos = documents[0]?.[0] === 0 ? 0 : undefined;
    return { name, weight, bos, train: tokenDocuments([]), validation: tokenDocuments(documents) };
  };
  // Token 1 has one byte, token 3 has three; token 0 is special and does not count.
  const bytes = Int32Array.of(0, 1, 2, 3, ...new Array(V - 4).fill(1));
  const mixed = [
    [0, 1, 1],
    [0, 1, 1, 1],
    [0, 1],
  ];
  const sources = [
    source("a", 3, mixed),
    source("b", 1, [tokens(23, 3)]),
    source("c", 5, [tokens(1, 1)]),
  ];
  const evaluator = await compileEvaluator(backend, store, model, config, sources, bytes);
  const found = await evaluator.run(signal);
  const close = (got: number | undefined, want: number) =>
    assert.ok(Math.abs((got as number) - want) < 1e-5, `${got} instead of ${want}`);
  close(found?.sources.a, 4);
  close(found?.sources.b, 4 / 3);
  assert.equal(found?.sources.c, undefined, "one token has nothing to predict");
  close(found?.loss, Math.log(16));
  // Shares 3/4 and 1/4 of tokens: 4 bits a token over 3/4 · 1 + 1/4 · 3 bytes a token.
  close(found?.bpb, 4 / 1.5);
  const aborted = await evaluator.run(AbortSignal.abort());
  assert.equal(aborted, undefined);
});

test("steps far above the running median are refused, many in a row end the run", () => {
  const state = createSpikeState();
  const step = (gradNorm: number, skipped = false) =>
    noteOutcome(state, { loss: 1, gradNorm, skipped }, 1, 3);
  for (let i = 1; i <= 19; i++) step(i);
  assert.equal(largestNorm(state, 10), Infinity, "19 norms say too little");
  step(20);
  assert.equal(largestNorm(state, 10), 110, "the median of 1 … 20, upper one, times 10");
  step(1e6, true);
  step(1e6, true);
  step(5);
  assert.deepEqual([state.skipped, state.inARow, state.norms.length], [2, 0, 21]);
  step(Number.NaN, true);
  step(Number.NaN, true);
  assert.throws(() => step(Number.NaN, true), /DIVERGED|gradient must settle.*3 skipped/);
  for (let i = 0; i < 200; i++) step(7);
  assert.equal(state.norms.length, 100, "memory does not grow");
  assert.equal(largestNorm(state, 2), 14);
});

test("the progress line has the columns that people search for", () => {
  const record = (step: number, ms: number): StepRecord => {
    return { step, loss: 4.21371, gradNorm: 1, lrm: 1, ms, batch: "" };
  };
  const records = [record(118, 182), record(119, 5000), record(120, 182)];
  assert.equal(
    renderStep(records, 1000, 4096),
    "step 00120/01000 (12.0%) | loss 4.2137 | lrm 1.00 | 182 ms | 22,505 tok/s | eta 2.7m",
  );
});

test("the curve is a picture of every panel, in bounds, whatever the numbers", () => {
  const steps = Array.from({ length: 3000 }, (_, i) => {
    return { step: i + 1, loss: 2 + 6 / (1 + i / 50), gradNorm: 1, lrm: 1, ms: 1, batch: "" };
  });
  const evals = [0, 1500, 3000].map((step) => ({
    step,
    bpb: 3 - step / 3000,
    valLoss: 1,
    sources: {},
  }));
  const svg = renderLossCurve("a < b & c", steps, evals);
  assert.match(svg, /^<svg [^>]*viewBox="0 0 (\d+) (\d+)"/);
  assert.ok(svg.includes("a &lt; b &amp; c"));
  assert.equal(svg.match(/<polyline/g)?.length, 3);
  assert.equal(svg.match(/<circle/g)?.length, 3);
  assert.equal(svg.match(/<text/g)?.length, svg.match(/<\/text>/g)?.length);
  const points = [...svg.matchAll(/points="([^"]*)"/g)].flatMap(([, list = ""]) => list.split(" "));
  for (const point of points) {
    const [x = NaN, y = NaN] = point.split(",").map(Number);
    assert.ok(x >= 64 && x <= 680 && y >= 60 && y <= 600, point);
  }
  assert.doesNotMatch(renderLossCurve("empty", [], []), /NaN|Infinity/);
  assert.doesNotMatch(renderLossCurve("one", steps.slice(0, 1), evals.slice(0, 1)), /NaN|Infinity/);
});

test("the Shakespeare preset is nanoGPT's setting with an equal number of parameters", () => {
  const { config, model } = completeConfig(configOf(presets.shakespeare.values), 65, "bf16");
  // 4 blocks of 12 · C², 9 norms of C, embeddings of 65 characters and 64 positions.
  const nanoGpt = 4 * 12 * 128 ** 2 + 9 * 128 + (65 + 64) * 128;
  const ratio = countParameters(model).total / nanoGpt;
  assert.ok(Math.abs(ratio - 1) < 0.03, `${ratio}`);
  assert.equal(tokensPerStep(config), 12 * 64);
  assert.deepEqual(
    [config.lr * config.minLr, config.warmup, config.steps, config.beta2, config.clip],
    [1e-4, 100, 2000, 0.99, 1],
  );
});

test("what a configuration leaves open follows from the depth", () => {
  const { config, model } = completeConfig(configOf({ depth: 4 }), 4096, "bf16");
  assert.deepEqual([model.nLayer, model.nEmbd, model.nHead, model.headDim], [4, 256, 4, 64]);
  assert.ok(
    Object.entries(config).every(([key, value]) => value !== undefined || optional.has(key)),
  );
  const seen = config.steps * tokensPerStep(config);
  const { head, matrices } = countParameters(model);
  assert.ok(Math.abs(seen / (12 * (head + matrices)) - 1) < 0.05, "12 tokens a parameter");
});

const optional = new Set(["data", "evals", "maxBytes", "evalBatches", "threads"]);

test("talk redraws its status on a terminal, and is silent about it elsewhere", () => {
  const said = (isTTY: boolean): string => {
    const parts: string[] = [];
    const talk = createTalk({ stderr: (part) => parts.push(part), isTTY, columns: 10 });
    talk.status("a status that is long");
    talk.say("stays");
    talk.say("too");
    return parts.join("");
  };
  assert.equal(said(false), "stays\ntoo\n");
  assert.equal(said(true), "\r\x1b[Ka status \r\x1b[Kstays\ntoo\n");
});
