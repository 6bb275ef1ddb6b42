/** Everything of `Sampling`, each against its formula written down by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sampling } from "../../../src/llm/inference/engine.ts";
import { randomAt, sampleToken } from "../../../src/llm/inference/sampler.ts";
import {
  createTokenSampler,
  type TokenSamplerSetting,
} from "../../../src/llm/inference/token-sampler.ts";

/** The logits as they are when the draw is made: read through an uninterested sampler. */
function changed(
  logits: readonly number[],
  sampling: Sampling,
  setting: TokenSamplerSetting = {},
): number[] {
  const seen = Float32Array.from(logits);
  createTokenSampler({ temperature: 0, ...sampling }, setting).sample(seen, 0);
  return [...seen];
}

test("penalties count what is on the timeline and what was generated", () => {
  const ids = [0, 1, 1, 2, 2, 2];
  const logits = [4, -4, 1, 1];
  assert.deepEqual(changed(logits, { repetitionPenalty: 2 }, { ids }), [2, -8, 0.5, 1]);
  const generated = { ids, generatedFrom: 2 };
  assert.deepEqual(changed(logits, { presencePenalty: 0.5 }, generated), [4, -4.5, 0.5, 1]);
  assert.deepEqual(changed(logits, { frequencyPenalty: 0.5 }, generated), [4, -4.5, -0.5, 1]);
  assert.deepEqual(changed(logits, { presencePenalty: 9 }, { ids }), logits);
});

test("what is drawn counts at the next token", () => {
  const sampler = createTokenSampler({ temperature: 0, frequencyPenalty: 1 });
  const drawn = [0, 1, 2, 3].map((position) =>
    sampler.sample(Float32Array.of(1.5, 1, 0), position),
  );
  assert.deepEqual(drawn, [0, 1, 0, 1]);
});

test("all together, in their order", () => {
  const sampling = {
    repetitionPenalty: 2,
    presencePenalty: 1,
    frequencyPenalty: 0.5,
    logitBias: new Map([
      [0, 3],
      [99, 1],
    ]),
  };
  const mask = { allowed: () => Uint32Array.of(0b1011), accept: () => undefined };
  const setting = { ids: [0, 0], generatedFrom: 0, mask };
  assert.deepEqual(changed([4, 1, 9, 0], sampling, setting), [4 / 2 - 2 + 3, 1, -Infinity, 0]);
});

test("a mask over several words forbids all others and hears what was chosen", () => {
  const heard: number[] = [];
  const allowed = Uint32Array.of(0, 1 << 31, 0xffffffff);
  const mask = { allowed: () => allowed, accept: (id: number) => heard.push(id) };
  const logits = Float32Array.from({ length: 70 }, (_, id) => (id < 63 ? 9 : -id));
  const sampler = createTokenSampler({ temperature: 0 }, { mask });
  assert.equal(sampler.sample(logits, 0), 63);
  assert.deepEqual(heard, [63]);
  assert.equal([...logits].filter((x) => x > -Infinity).length, 7);
});

test("ids beyond the vocabulary are never drawn", () => {
  const sampler = createTokenSampler({ temperature: 0 }, { vocabSize: 2 });
  assert.equal(sampler.sample(Float32Array.of(0, 1, 9), 0), 1);
  assert.equal(sampler.plain, undefined);
});

test("plain where temperature is all there is, and then the same draw", () => {
  const logits = Float32Array.from({ length: 50 }, (_, id) => Math.sin(id) * 3);
  const sampler = createTokenSampler({ temperature: 0.7, seed: 5 });
  assert.deepEqual(sampler.plain, { temperature: 0.7, seed: 5 });
  for (const position of [0, 1, 77])
    assert.equal(
      sampler.sample(Float32Array.from(logits), position),
      sampleToken(logits, { temperature: 0.7 }, randomAt(5, position)),
    );
  assert.ok(createTokenSampler({ topP: 1, minP: 0, repetitionPenalty: 1 }).plain);
  const others: Sampling[] = [
    { topK: 3 },
    { topP: 0.5 },
    { minP: 0.1 },
    { repetitionPenalty: 1.1 },
    { presencePenalty: 1 },
    { frequencyPenalty: 1 },
    { logitBias: new Map([[0, 1]]) },
  ];
  for (const sampling of others) assert.equal(createTokenSampler(sampling).plain, undefined);
});

test("an absent seed is drawn once", () => {
  const seeds = Array.from({ length: 4 }, () => createTokenSampler({}).plain?.seed);
  assert.ok(new Set(seeds).size > 1, `${seeds}`);
});

const broken: readonly [Sampling, RegExp][] = [
  [{ temperature: -1 }, /temperature must be 0 or more, got -1/],
  [{ minP: 1.5 }, /minP must be from 0 to 1, got 1.5/],
  [{ repetitionPenalty: 0 }, /repetitionPenalty must be above 0, got 0/],
  [{ presencePenalty: Number.NaN }, /presencePenalty .* got NaN/],
  [{ frequencyPenalty: Infinity }, /frequencyPenalty .* got Infinity/],
  [{ logitBias: new Map([[3, Infinity]]) }, /logitBias of token 3 .* got Infinity/],
];

for (const [sampling, message] of broken)
  test(`refused: ${message.source}`, () => {
    assert.throws(() => createTokenSampler(sampling), { code: "CONFIG", message });
  });

test("a token that another drew is taken where the mask allows it, and counts", () => {
  const accepted: number[] = [];
  const mask = { allowed: () => Uint32Array.of(0b1010), accept: (id: number) => accepted.push(id) };
  const { masked, plain } = createTokenSampler({ temperature: 0.5, seed: 3 }, { mask });
  assert.equal(plain, undefined);
  assert.deepEqual(masked?.allowed(), Uint32Array.of(0b1010));
  assert.deepEqual([masked?.temperature, masked?.seed], [0.5, 3]);
  assert.deepEqual(
    [0, 1, 2, 3].map((id) => masked?.take(id)),
    [false, true, false, true],
  );
  assert.deepEqual(accepted, [1, 3]);
  const more = { topK: 2 } as const;
  assert.equal(createTokenSampler(more, { mask }).masked, undefined);
  assert.equal(createTokenSampler({}, {}).masked, undefined);
});
