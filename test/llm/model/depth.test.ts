/** The depth dial against counts and rules worked out by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { planDepth } from "../../../src/llm/model/depth.ts";
import { countParameters, flopsPerToken } from "../../../src/llm/model/size.ts";

const options = { vocabSize: 8192, sequenceLen: 256, optimizer: "adamw" } as const;

test("depth 6: shape, parameters and FLOPs by hand", () => {
  const { config, parameters, flopsPerToken: flops } = planDepth(6, options);
  assert.deepEqual([config.nEmbd, config.nHead, config.nKvHead, config.nFfn], [384, 6, 6, 1024]);
  const matrices = 6 * (4 * 384 * 384 + 3 * 384 * 1024);
  const table = 8192 * 384;
  const gains = 13 * 384;
  assert.deepEqual(parameters, {
    total: matrices + 2 * table + gains,
    embedding: table,
    head: table,
    matrices,
    gains,
  });
  assert.equal(flops.matmul, 6 * (matrices + table));
  assert.equal(flops.attention, 12 * 6 * 384 * 256);
  assert.equal(flops.causalAttention, 12 * 6 * 384 * (257 / 2));
});

test("a tied head costs parameters once and FLOPs all the same", () => {
  const untied = planDepth(4, options);
  const tied = planDepth(4, { ...options, tiedEmbeddings: true });
  const table = 8192 * 256;
  assert.equal(untied.parameters.total - tied.parameters.total, table);
  assert.deepEqual(tied.flopsPerToken, untied.flopsPerToken);
});

test("a window bounds attention's FLOPs", () => {
  const config = { ...planDepth(2, options).config, window: 64 };
  const flops = flopsPerToken(config, 256);
  let seen = 0;
  for (let t = 0; t < 256; t++) seen += Math.min(t + 1, 64);
  assert.equal(flops.causalAttention, (12 * 2 * 128 * seen) / 256);
  assert.equal(flops.attention, 12 * 2 * 128 * 64);
});

test("LLaMA-2 70B's published size comes out of its published shape", () => {
  const counts = countParameters({
    vocabSize: 32000,
    sequenceLen: 4096,
    nLayer: 80,
    nHead: 64,
    nKvHead: 8,
    nEmbd: 8192,
    headDim: 128,
    nFfn: 28672,
    ropeBase: 10000,
    normEps: 1e-5,
    qkNorm: false,
    tiedEmbeddings: false,
  });
  assert.equal(counts.total, 68_976_648_192);
});

test("tokens, batch and rates follow their rules", () => {
  const reference = planDepth(12, { ...options, optimizer: "muon" });
  assert.equal(reference.tokens, 12 * (reference.parameters.head + reference.parameters.matrices));
  assert.equal(reference.batchTokens, 2 ** 19);
  assert.ok(Math.abs(reference.lr - 0.008) < 1e-12);
  assert.ok(Math.abs(reference.lr * reference.matrixLrScale - 0.02) < 1e-12);
  assert.equal(reference.muonWeightDecay, 0.28);
  const small = planDepth(4, { ...options, optimizer: "muon" });
  assert.equal(small.muonWeightDecay, 0.28, "clamped: the rule alone explodes");
  assert.ok(small.batchTokens < reference.batchTokens);
  const long = planDepth(12, { ...options, optimizer: "muon", tokens: 4 * reference.tokens });
  assert.ok(long.muonWeightDecay < 0.28 && long.batchTokens > reference.batchTokens);
});

test("AdamW's rate falls with size and has a floor", () => {
  const rates = [2, 6, 12, 24, 100].map((depth) => planDepth(depth, options).lr);
  assert.deepEqual(
    rates,
    rates.toSorted((a, b) => b - a),
  );
  assert.ok((rates[1] as number) > 8e-4 && (rates[1] as number) < 1.1e-3);
  assert.equal(rates[4], 1.5e-4);
});

test("every depth gives a valid model; others are refused", () => {
  for (let depth = 1; depth <= 40; depth++) {
    const { config, steps, batchTokens } = planDepth(depth, options);
    assert.equal(config.nHead % config.nKvHead, 0);
    assert.ok(steps >= 1 && batchTokens >= config.sequenceLen);
  }
  assert.equal(planDepth(32, options).config.nKvHead, 8);
  for (const depth of [0, 1.5, -3, 129])
    assert.throws(() => planDepth(depth, options), { code: "CONFIG", message: /depth: must be/ });
});
