import assert from "node:assert/strict";
import { test } from "node:test";
import { createBatch, createSampler } from "../../../src/llm/data/sampler.ts";
import { tokenizeSources } from "../../../src/llm/data/tokens.ts";
import { bitsPerByte, validationBatches } from "../../../src/llm/data/validation.ts";
import { characterTokenizer } from "../../../src/llm/tokenizer/character.ts";
import { tokenByteCounts } from "../../../src/llm/tokenizer/tokenizer.ts";
import { trainBpe } from "../../../src/llm/tokenizer/train.ts";

const B = 4;
const T = 16;
/** Source s holds the tokens s·10000 + position, so a token tells where it came from. */
const ramp = (source: number, length: number) =>
  Uint16Array.from({ length }, (_, position) => source * 10_000 + position);
const sources = [
  { name: "a", weight: 6, tokens: ramp(0, 9000) },
  { name: "b", weight: 3, tokens: ramp(1, 500) },
  { name: "c", weight: 1, tokens: ramp(2, T + 1) },
];
const sampler = createSampler({ sources, seed: 42, batchSize: B, sequenceLen: T });

test("a batch depends on seed, step and micro-step alone", () => {
  const forward = [0, 1, 2, 3].map((step) => sampler.batchAt(step, 1));
  const fresh = createSampler({ sources, seed: 42, batchSize: B, sequenceLen: T });
  const out = createBatch(B, T);
  for (const step of [3, 1, 0, 2]) {
    assert.equal(fresh.batchAt(step, 1, out), out);
    assert.deepEqual(out, forward[step]);
  }
  const other = createSampler({ sources, seed: 43, batchSize: B, sequenceLen: T });
  const wide = createSampler({ sources, seed: 42 + 2 ** 32, batchSize: B, sequenceLen: T });
  for (const different of [other.batchAt(0, 1), wide.batchAt(0, 1), sampler.batchAt(0, 0)]) {
    assert.notDeepEqual(different, forward[0]);
  }
});

test("rows are contiguous tokens of one source and targets are the next token", () => {
  for (let step = 0; step < 50; step++) {
    const { inputs, targets } = sampler.batchAt(step, 0);
    for (let i = 0; i < B * T; i++) {
      assert.equal(targets[i], (inputs[i] as number) + 1);
      if (i % T > 0) assert.equal(inputs[i], (inputs[i - 1] as number) + 1);
    }
  }
});

test("sources are drawn by weight and offsets reach both ends", () => {
  const counts = [0, 0, 0];
  const starts = new Set<number>();
  const steps = 5000;
  for (let step = 0; step < steps; step++) {
    const { inputs } = sampler.batchAt(step, 0);
    for (let row = 0; row < B; row++) {
      const first = inputs[row * T] as number;
      const source = Math.floor(first / 10_000);
      counts[source] = (counts[source] as number) + 1;
      if (source === 1) starts.add(first - 10_000);
    }
  }
  const shares = counts.map((count) => count / (steps * B));
  // Three standard deviations of a binomial share over 20,000 draws are at most 0.0107.
  for (const [i, expected] of [0.6, 0.3, 0.1].entries()) {
    assert.ok(Math.abs((shares[i] as number) - expected) < 0.0107, `source ${i}: ${shares[i]}`);
  }
  assert.equal(Math.min(...starts), 0);
  assert.equal(Math.max(...starts), 500 - T - 1);
  assert.equal(starts.size, 500 - T);
});

test("a context longer than the data is one clear line", () => {
  assert.throws(() => createSampler({ sources, seed: 1, batchSize: B, sequenceLen: T + 1 }), {
    code: "DATA",
    message:
      /^c: a source must be longer than the context, got 17 tokens for a context of 17\. Add/,
  });
  const idle = sources.map((source) => ({ ...source, weight: 0 }));
  assert.throws(() => createSampler({ sources: idle, seed: 1, batchSize: B, sequenceLen: T }), {
    code: "CONFIG",
  });
});

test("documents start with bos and nothing is lost", () => {
  const train = ["the cat", "sat on the mat"].map((text, i) => ({ id: `${i}`, text }));
  const validation = [{ id: "v", text: "the mat" }];
  const source = { name: "s", weight: 1, licence: "", train, validation };
  const tokenizer = trainBpe(["the cat sat on the mat"], { vocabSize: 270 });
  const progress: number[] = [];
  const [tokens] = tokenizeSources([source], tokenizer, (done, total) =>
    progress.push(done, total),
  );
  assert.ok(tokens?.train instanceof Uint16Array);
  assert.equal(
    tokenizer.decode(tokens.train, { specials: true }),
    "<|bos|>the cat<|bos|>sat on the mat",
  );
  assert.equal(tokenizer.decode(tokens.validation, { specials: true }), "<|bos|>the mat");
  assert.deepEqual(progress, [7, 28, 21, 28, 28, 28]);
  const characters = characterTokenizer("the cat sat on the mat");
  const [plain] = tokenizeSources([source], characters);
  assert.equal(characters.decode(plain?.train ?? []), "the catsat on the mat");
});

test("validation batches cover every target once and count its bytes", () => {
  const tokenizer = trainBpe(["the cat sat on the mat, über alles"], { vocabSize: 280 });
  const texts = Array.from({ length: 9 }, (_, i) => `the cat ${i} über the mat`);
  const bos = tokenizer.special("<|bos|>");
  const tokens = Int32Array.from(texts.flatMap((text) => [bos, ...tokenizer.encode(text)]));
  const tokenBytes = tokenByteCounts(tokenizer);
  const options = { tokens, tokenBytes, batchSize: 2, sequenceLen: 8 };
  const batches = [...validationBatches(options)];
  const inputs = batches.flatMap((batch) => [...batch.inputs]).slice(0, tokens.length - 1);
  assert.deepEqual(inputs, [...tokens.slice(0, -1)]);
  const targets = batches.flatMap((batch) => [...batch.targets]);
  const counted = targets.filter((target) => target >= 0);
  assert.deepEqual(
    counted,
    [...tokens].filter((token) => token !== bos),
  );
  assert.equal(
    batches.reduce((sum, batch) => sum + batch.tokens, 0),
    counted.length,
  );
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  assert.equal(
    batches.reduce((sum, batch) => sum + batch.bytes, 0),
    bytes,
  );
  assert.ok(batches.every((batch) => batch.inputs.length === 16 && batch.targets.length === 16));
  assert.deepEqual([...validationBatches({ ...options, maxBatches: 2 })], batches.slice(0, 2));
  assert.deepEqual([...validationBatches({ ...options, tokens: tokens.slice(0, 1) })], []);
});

test("uniform guessing over 256 bytes is eight bits per byte", () => {
  assert.equal(bitsPerByte(100 * Math.log(256), 100), 8);
});
