/** The sampler against exact probabilities, and where top-k and top-p have edges. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fillUniform } from "../../../src/compute/philox.ts";
import { type SamplerOptions, sampleToken } from "../../../src/llm/inference/sampler.ts";

const LOGITS = Float32Array.of(1, -2, 0.5, 3, 3, -Infinity, 2, 0);

/** Softmax written down again, over the ids that a filter leaves. */
function probabilities(
  logits: Float32Array,
  temperature: number,
  ids: readonly number[],
): number[] {
  const powers = Array.from(logits, (x, id) => (ids.includes(id) ? Math.exp(x / temperature) : 0));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / total);
}

function frequencies(logits: Float32Array, options: SamplerOptions, draws: number): number[] {
  const counts = new Array<number>(logits.length).fill(0);
  const random = new Float64Array(draws);
  fillUniform(random, 7, 1);
  for (const u of random) {
    const id = sampleToken(logits, options, u);
    counts[id] = (counts[id] as number) + 1;
  }
  return counts;
}

interface Case {
  readonly name: string;
  readonly options: SamplerOptions;
  /** Which ids can come out. */
  readonly ids: readonly number[];
}

// Sorted: 3 and 4 (0.329 each at temperature 1), 6 (.121), 0 (.045), 2 (.027), 7 (.016), 1 (.002).
const cases: readonly Case[] = [
  { name: "everything", options: { temperature: 1 }, ids: [0, 1, 2, 3, 4, 6, 7] },
  { name: "hot", options: { temperature: 2.5 }, ids: [0, 1, 2, 3, 4, 6, 7] },
  { name: "cold", options: { temperature: 0.5 }, ids: [0, 1, 2, 3, 4, 6, 7] },
  { name: "top-k 3", options: { temperature: 1, topK: 3 }, ids: [3, 4, 6] },
  { name: "top-k beyond V", options: { temperature: 1, topK: 99 }, ids: [0, 1, 2, 3, 4, 6, 7] },
  { name: "top-p 0.8", options: { temperature: 1, topP: 0.8 }, ids: [3, 4, 6] },
  { name: "top-p 1", options: { temperature: 1, topP: 1 }, ids: [0, 1, 2, 3, 4, 6, 7] },
  // Of the three that top-k leaves, the first two have 0.845.
  { name: "top-k, then top-p", options: { temperature: 1, topK: 3, topP: 0.84 }, ids: [3, 4] },
  // Of the likeliest's weight, 6 has 0.368 and 0 has 0.135.
  { name: "min-p 0.2", options: { temperature: 1, minP: 0.2 }, ids: [3, 4, 6] },
  { name: "min-p counts hot", options: { temperature: 2, minP: 0.36 }, ids: [0, 3, 4, 6] },
  { name: "top-p, then min-p", options: { temperature: 1, topP: 0.7, minP: 0.5 }, ids: [3, 4] },
  { name: "top-p counts hot", options: { temperature: 4, topP: 0.59 }, ids: [3, 4, 6] },
];

for (const { name, options, ids } of cases)
  test(`draws have the exact distribution: ${name}`, () => {
    const draws = 40_000;
    const expected = probabilities(LOGITS, options.temperature, ids);
    const counts = frequencies(LOGITS, options, draws);
    let chiSquare = 0;
    for (const [id, p] of expected.entries()) {
      if (p === 0) assert.equal(counts[id], 0, `token ${id} must never come`);
      else chiSquare += ((counts[id] as number) - draws * p) ** 2 / (draws * p);
    }
    // The 99.9 % point of chi-square with 6 degrees of freedom, the most that a case has.
    assert.ok(chiSquare < 22.46, `chi-square ${chiSquare} of ${counts}`);
  });

test("temperature 0, top-k 1 and top-p near 0 take the first of the likeliest", () => {
  for (const random of [0, 0.5, 1 - 2 ** -24])
    for (const options of [
      { temperature: 0 },
      { temperature: 1, topK: 1 },
      { temperature: 1, topP: 1e-12 },
      { temperature: 1e-300, topK: 1 },
    ])
      assert.equal(sampleToken(LOGITS, options, random), 3);
});

test("equal logits: ties go by id, draws are uniform", () => {
  const flat = new Float32Array(10);
  assert.equal(sampleToken(flat, { temperature: 0 }, 0.9), 0);
  const some = frequencies(flat, { temperature: 1, topK: 4 }, 8000);
  assert.deepEqual(some.slice(4), [0, 0, 0, 0, 0, 0]);
  assert.deepEqual(frequencies(flat, { temperature: 1, topP: 0.35 }, 8000), some);
  for (const count of some.slice(0, 4)) assert.ok(Math.abs(count - 2000) < 150, `${some}`);
});

test("a random number at either end stays inside what is left", () => {
  const logits = Float32Array.of(-Infinity, 0, 0, -Infinity);
  for (const options of [{ temperature: 1 }, { temperature: 1, topK: 3 }]) {
    assert.equal(sampleToken(logits, options, 0), 1);
    assert.equal(sampleToken(logits, options, 1 - 2 ** -53), 2);
  }
});

test("NaN, infinities and vanishing temperatures choose a number", () => {
  const mixed = Float32Array.of(Number.NaN, 1, -Infinity, 2, Number.NaN);
  for (const options of [
    { temperature: 1, topK: 2 },
    { temperature: 1, topP: 0.99 },
  ])
    for (const id of [0, 0.3, 0.9999].map((u) => sampleToken(mixed, options, u)))
      assert.ok(id === 1 || id === 3, `token ${id}`);
  assert.equal(sampleToken(mixed, { temperature: 1e-308 }, 0.99), 3);
  assert.equal(sampleToken(Float32Array.of(0, Infinity, 1), { temperature: 1 }, 0.99), 1);
  for (const hopeless of [Number.NaN, -Infinity])
    assert.throws(() => sampleToken(new Float32Array(3).fill(hopeless), { temperature: 1 }, 0), {
      code: "DIVERGED",
      message: /one of 3 logits/,
    });
});

test("any logits: the candidates are those of a full sort", () => {
  // A coarse grid, for ties.
  const grid = fc.integer({ min: -40, max: 40 }).map((x) => x / 8);
  const logit = fc.oneof({ weight: 9, arbitrary: grid }, fc.constant(-Infinity));
  fc.assert(
    fc.property(
      fc.array(logit, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 70 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (values, topK, topP, random) => {
        const logits = Float32Array.from(values);
        if (!logits.some((x) => x > -Infinity)) return;
        const id = sampleToken(logits, { temperature: 1, topK, topP }, random);
        assert.ok(allowed(logits, topK, topP).has(id), `token ${id}`);
      },
    ),
    { seed: 5, numRuns: 500 },
  );
});

/** Top-k, then top-p, by sorting everything; an id more where rounding decides. */
function allowed(logits: Float32Array, topK: number, topP: number): Set<number> {
  const order = [...logits.keys()].sort(
    (a, b) => (logits[b] as number) - (logits[a] as number) || a - b,
  );
  const kept = order.slice(0, topK).filter((id) => (logits[id] as number) > -Infinity);
  const p = probabilities(logits, 1, kept);
  const ids = new Set<number>();
  let sum = 0;
  for (const id of kept) {
    if (sum >= topP + 1e-12) break;
    ids.add(id);
    sum += p[id] as number;
  }
  return ids;
}
