/**
 * Log-probabilities of given texts: against the closed form of a model whose logits are known,
 * against the generator's logits of a random model, and whatever rows they are computed beside.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { chooseBackend } from "../../../src/compute/backends/choose.node.ts";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { fillUniform } from "../../../src/compute/philox.ts";
import { createLogprobScorer } from "../../../src/llm/inference/logprobs.ts";
import { createPrograms } from "../../../src/llm/inference/programs.ts";
import type { ModelConfig } from "../../../src/llm/model/config.ts";
import { initialise } from "../../../src/llm/model/parameters.ts";
import { speakingConfig, speakingStore } from "./speaking-model.ts";

const config: ModelConfig = {
  ...{ vocabSize: 61, sequenceLen: 80, nLayer: 2, nHead: 4, nKvHead: 2, nEmbd: 32, headDim: 8 },
  ...{ nFfn: 48, ropeBase: 10000, normEps: 1e-5, qkNorm: false, tiedEmbeddings: true },
};
const backend = await chooseBackend("auto", {}, () => {});
const store = backend.createStore();
await initialise(store, config, 7);
after(() => {
  store.dispose();
  backend.dispose();
});

function randomRow(length: number, seed: number): number[] {
  const uniforms = new Float64Array(length);
  fillUniform(uniforms, seed, 1);
  return [...uniforms].map((u) => Math.floor(u * config.vocabSize));
}

const lengths = [2, 81, 17, 1, 5, 16, 20, 40, 21, 60, 18];
const rows = lengths.map((length, i) => randomRow(length, i));

/** ln softmax(logits)[id], in f64. */
function logprob(logits: Float32Array, id: number): number {
  const top = Math.max(...logits);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - top), 0);
  return (logits[id] as number) - top - Math.log(sum);
}

test("rows of every length, as the generator's logits say token by token", async () => {
  const scorer = createLogprobScorer(backend, store, config, {
    ...{ B: 3, T: 80, precision: "f32" },
  });
  const found = await scorer.logprobs(rows);
  await scorer.dispose();
  const shape = { config, precision: "f32", capacity: 80, chunk: 8 } as const;
  const programs = createPrograms(backend, store, shape);
  await programs.begin();
  for (const [i, row] of rows.entries()) {
    const expected: number[] = [];
    for (let t = 0; t + 1 < row.length; t++) {
      const logits = await programs.decode(row[t] as number, t);
      expected.push(logprob(logits, row[t + 1] as number));
    }
    const got = found[i] as Float32Array;
    assert.equal(got.length, Math.max(0, row.length - 1));
    for (const [t, value] of expected.entries())
      assert.ok(Math.abs((got[t] as number) - value) < 1e-4, `row ${i} token ${t}`);
  }
  await programs.dispose();
});

test("a row has the same bits alone, beside others and in another order", async () => {
  const scorer = createLogprobScorer(backend, store, config, {
    ...{ B: 4, T: 80, precision: "bf16" },
  });
  const together = await scorer.logprobs(rows);
  const reversed = (await scorer.logprobs([...rows].reverse())).reverse();
  assert.deepEqual(reversed, together);
  for (const [i, row] of rows.entries())
    assert.deepEqual(await scorer.logprobs([Int32Array.from(row)]), [together[i]]);
  await scorer.dispose();
});

test("a model whose logits are known", async () => {
  const speaking = await speakingStore("ab");
  const reference = createReferenceBackend();
  const scorer = createLogprobScorer(reference, speaking, speakingConfig, {
    ...{ B: 2, T: 4, precision: "f32" },
  });
  const [BOS, a, b] = [256, 97, 98];
  const [right, wrong] = await scorer.logprobs([
    [BOS, a, b],
    [BOS, b, a],
  ]);
  // One axis of C is 1 before the last norm, so √C / √(1 + C·ε) after it, and the head's 2.
  const C = speakingConfig.nEmbd;
  const logit = (2 * Math.sqrt(C)) / Math.sqrt(1 + C * speakingConfig.normEps);
  const sum = Math.log(Math.exp(logit) + speakingConfig.vocabSize - 1);
  for (const value of right ?? []) assert.ok(Math.abs(value - (logit - sum)) < 1e-5, `${value}`);
  assert.ok(Math.abs((wrong?.[0] as number) + sum) < 1e-4);
  await scorer.dispose();
});

test("rows that do not fit are refused, by what and by how much", async () => {
  assert.throws(
    () => createLogprobScorer(backend, store, config, { B: 1, T: 81, precision: "f32" }),
    /^NutshellError: logprobs: T must be a whole number from 1 to 80, got 81\./,
  );
  const scorer = createLogprobScorer(backend, store, config, {
    ...{ B: 1, T: 16, precision: "f32" },
  });
  await assert.rejects(
    scorer.logprobs([randomRow(18, 1)]),
    /^NutshellError: logprobs: a row must have from 1 to 17 tokens, got 18\. Cut it/,
  );
  await assert.rejects(scorer.logprobs([[1, 61]]), /token ids must lie in \[0, 61\), got 61\./);
  assert.deepEqual(await scorer.logprobs([]), []);
  await scorer.dispose();
});

test("a model whose weights are not finite is said to have diverged", async () => {
  const broken = await speakingStore("ab");
  await broken.write("model.norm.weight", new Float32Array(speakingConfig.nEmbd).fill(NaN));
  const scorer = createLogprobScorer(createReferenceBackend(), broken, speakingConfig, {
    ...{ B: 1, T: 4, precision: "f32" },
  });
  await assert.rejects(scorer.logprobs([[1, 2]]), /logprobs: every .* must be finite, got NaN\./);
  await scorer.dispose();
});
