/** Error bars against values worked by hand, published ones, and a simulation of what they promise. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fillUniform } from "../../../src/compute/philox.ts";
import { bootstrap, mean, meanRate, wilson } from "../../../src/llm/eval/intervals.ts";

const near = (a: number, b: number, within: number): void =>
  assert.ok(Math.abs(a - b) <= within, `${a} is not within ${within} of ${b}`);

test("Wilson's interval as published", () => {
  // Newcombe 1998, table I, method 3.
  const cases = [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const;
  for (const [right, n, low, high] of cases) {
    const found = wilson(right, n);
    assert.equal(found.value, right / n);
    near(found.low, low, 5e-5);
    near(found.high, high, 5e-5);
  }
});

test("Wilson's interval at the ends stays inside, and mirrors", () => {
  const [none, all] = [wilson(0, 8), wilson(8, 8)];
  assert.equal(none.low, 0);
  assert.equal(all.high, 1);
  near(none.high, 1 - all.low, 1e-12);
  // z² / (n + z²)
  near(none.high, 3.841458820694124 / 11.841458820694124, 1e-12);
});

test("the bootstrap's value is Σ sum / Σ count, its bounds around it", () => {
  const groups = [
    { sum: 3, count: 4 },
    { sum: 0, count: 1 },
    { sum: 2, count: 5 },
  ];
  const found = bootstrap(groups, 1);
  assert.equal(found.value, 0.5);
  assert.equal(found.n, 3);
  // Nothing outside what drawing one group three times gives: 0 and 3/4.
  assert.equal(found.low, 0);
  assert.equal(found.high, 0.75);
  assert.deepEqual(bootstrap(groups, 1), found);
});

test("the bootstrap of a mean agrees with the normal interval", () => {
  const values = new Float64Array(400);
  fillUniform(values, 9, 1);
  const found = mean([...values], 3);
  const average = values.reduce((a, b) => a + b) / 400;
  const variance = values.reduce((a, b) => a + (b - average) ** 2, 0) / 400;
  const half = 1.96 * Math.sqrt(variance / 400);
  near(found.value, average, 1e-12);
  near(found.low, average - half, half * 0.15);
  near(found.high, average + half, half * 0.15);
});

test("rates of 0 and 1 have Wilson's interval, others the bootstrap", () => {
  assert.deepEqual(meanRate([1, 0, 1, 1], 1), wilson(3, 4));
  assert.equal(meanRate([1, 0.5], 1).interval, "bootstrap");
});

test("a 95 % interval covers the truth about 95 times in 100", () => {
  const draws = new Float64Array(60);
  let [byWilson, byBootstrap] = [0, 0];
  for (let trial = 0; trial < 300; trial++) {
    fillUniform(draws, 77, trial);
    const right = draws.filter((u) => u < 0.3).length;
    const share = wilson(right, 60);
    if (share.low <= 0.3 && 0.3 <= share.high) byWilson++;
    const squares = mean(
      [...draws].map((u) => u * u),
      trial,
    );
    if (squares.low <= 1 / 3 && 1 / 3 <= squares.high) byBootstrap++;
  }
  assert.ok(byWilson >= 276 && byWilson <= 297, `${byWilson} of 300`);
  assert.ok(byBootstrap >= 270 && byBootstrap <= 297, `${byBootstrap} of 300`);
});
