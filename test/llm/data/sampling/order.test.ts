/** Order: permutations, the schedule of sources, and the two together in a sampler. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { rowsOfSource } from "../../../../src/llm/data/mixture/plan.ts";
import { createBatch } from "../../../../src/llm/data/sampling/batch.ts";
import { createPermutation } from "../../../../src/llm/data/sampling/permutation.ts";
import { createSampler, packSource } from "../../../../src/llm/data/sampling/sampler.ts";
import {
  realisedProportions,
  realisedRows,
  scheduledRow,
  scheduleRows,
} from "../../../../src/llm/data/sampling/schedule-rows.ts";
import { numberedDocuments, planOf, sourceOf } from "./made-up.ts";

const ascending = (list: number[]) => list.sort((a, b) => a - b);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

test("a keyed order holds every number once", () => {
  const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3000 }),
      fc.maxSafeNat(),
      word,
      word,
      (size, seed, a, b) => {
        const at = createPermutation(size, seed, a, b);
        assert.deepEqual(ascending(upTo(size).map(at)), upTo(size));
      },
    ),
  );
  const large = createPermutation(2 ** 32, 7, 0, 0);
  const some = upTo(1000).map((i) => large(2 ** 32 - 1 - i));
  assert.equal(new Set(some).size, 1000);
  assert.ok(some.every((x) => Number.isInteger(x) && x >= 0 && x < 2 ** 32));
});

/** Σ (seen - expected)² / expected over equally likely cells. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, n) => sum + n, 0) / counts.length;
  return counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
}

test("orders of many keys are even: places, and pairs of neighbours", () => {
  for (const size of [5, 16, 100]) {
    const places = new Array<number>(size * size).fill(0);
    const gaps = new Array<number>(size).fill(0);
    for (let epoch = 0; epoch < 4000; epoch++) {
      const order = upTo(size).map(createPermutation(size, 42, 1, epoch));
      for (const [i, x] of order.entries()) {
        places[i * size + x] = (places[i * size + x] as number) + 1;
        const next = order[(i + 1) % size] as number;
        const gap = (next - x + size) % size;
        gaps[gap] = (gaps[gap] as number) + 1;
      }
    }
    // Mean of a chi-square is its degrees of freedom k, its deviation √2k; five of them.
    const freedom = (size - 1) ** 2;
    assert.ok(chiSquare(places) < freedom + 5 * Math.sqrt(2 * freedom), `places of ${size}`);
    const bound = size - 2 + 5 * Math.sqrt(2 * size);
    assert.ok(chiSquare(gaps.slice(1)) < bound, `gaps of ${size}: ${chiSquare(gaps.slice(1))}`);
  }
});

const shares = fc
  .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 })
  .filter((list) => list.reduce((a, b) => a + b) > 0.01)
  .map((list) => list.map((share) => share / list.reduce((a, b) => a + b)));
const anyPlan = fc
  .tuple(fc.integer({ min: 1, max: 5000 }), fc.array(shares, { minLength: 1, maxLength: 4 }))
  .map(([rows, points]) => planOf(rows, ...points));

test("each source gets its share of every block to within one row, and its rows in turn", () => {
  fc.assert(
    fc.property(anyPlan, (plan) => {
      const schedule = scheduleRows(plan);
      const counts = plan.names.map(() => 0);
      for (let row = 0; row < plan.rows; row++) {
        const { source, index } = scheduledRow(schedule, row, { source: 0, index: 0 });
        assert.equal(index, counts[source]);
        counts[source] = index + 1;
        if ((row + 1) % schedule.blockRows !== 0 && row + 1 !== plan.rows) continue;
        assert.deepEqual(realisedRows(schedule, row + 1), counts);
        for (const [i, count] of counts.entries()) {
          const asked = rowsOfSource(plan, i, row + 1);
          assert.ok(Math.abs(count - asked) <= 1 + 1e-6, `${count} of ${asked} before ${row + 1}`);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test("realised proportions are those of the rows that are drawn", () => {
  const plan = planOf(3000, [0.7, 0.2, 0.1], [0.1, 0.2, 0.7]);
  const schedule = scheduleRows(plan);
  for (const rows of [1, 100, 256, 777, 3000]) {
    const counts = [0, 0, 0];
    for (let row = 0; row < rows; row++) {
      const { source } = scheduledRow(schedule, row, { source: 0, index: 0 });
      counts[source] = (counts[source] as number) + 1;
    }
    assert.deepEqual(
      realisedProportions(plan, rows),
      counts.map((count) => count / rows),
    );
  }
  assert.throws(() => scheduledRow(schedule, 3000, { source: 0, index: 0 }), /outside a schedule/);
});

test("sources are mixed evenly at any scale", () => {
  const schedule = scheduleRows(planOf(1 << 16, [0.5, 0.3, 0.2]));
  for (let start = 0; start < 60_000; start += 997) {
    const counts = [0, 0, 0];
    for (let row = start; row < start + 50; row++) {
      const { source } = scheduledRow(schedule, row, { source: 0, index: 0 });
      counts[source] = (counts[source] as number) + 1;
    }
    for (const [i, asked] of [25, 15, 10].entries())
      assert.ok(Math.abs((counts[i] as number) - asked) <= 4, `${counts} from row ${start}`);
  }
});

const T = 8;
const B = 4;
const sources = [30, 3, 11].map((rows, i) =>
  sourceOf(`source ${i}`, numberedDocuments(new Array(rows).fill(T + 1), 1 + i * 1000)),
);
const plan = planOf(400, [0.6, 0.3, 0.1]);
const options = {
  ...{ packed: sources.map((source) => packSource(source, T)), plan, seed: 42 },
  ...{ batchSize: B, gradAccumSteps: 2 },
};

/** First content token of each row, which names the row. */
function drawRows(steps: number, seed = 42): number[] {
  const sampler = createSampler({ ...options, seed });
  return upTo(steps).flatMap((step) =>
    [0, 1].flatMap((microStep) => {
      const { inputs } = sampler.batchAt(step, microStep);
      return upTo(B).map((b) => inputs[b * T + 1] as number);
    }),
  );
}

test("an epoch of a source holds each of its rows once, every epoch in another order", () => {
  const rows = drawRows(50);
  for (const [i, size] of [30, 3, 11].entries()) {
    const own = rows.filter((first) => Math.floor(first / 1000) === i);
    const epochs = upTo(Math.floor(own.length / size)).map((e) =>
      own.slice(e * size, (e + 1) * size),
    );
    assert.ok(epochs.length >= 3);
    for (const epoch of epochs) assert.equal(new Set(epoch).size, size);
    const orders = size === 3 ? 6 : epochs.length;
    assert.equal(new Set(epochs.map((epoch) => epoch.join())).size, orders);
  }
  const counts = [0, 1, 2].map(
    (i) => rows.filter((first) => Math.floor(first / 1000) === i).length,
  );
  assert.deepEqual(counts, [240, 120, 40]);
});

test("a batch depends on seed, step and micro-step alone", () => {
  const sampler = createSampler(options);
  const forward = upTo(50).map((step) => sampler.batchAt(step, 1));
  const fresh = createSampler(options);
  const out = createBatch(B, T);
  for (const step of [49, 1, 0, 30, 2]) {
    assert.equal(fresh.batchAt(step, 1, out), out);
    assert.deepEqual(out, forward[step]);
  }
  for (const seed of [43, 42 + 2 ** 32]) assert.notDeepEqual(drawRows(2, seed), drawRows(2));
});

test("a context longer than the data, or a source that is not there, is one clear line", () => {
  const packed = sources.map((source) => packSource(source, 27));
  assert.throws(() => createSampler({ ...options, packed }), {
    code: "DATA",
    message:
      /^source 1: a source must be longer than the context, got 27 tokens for a context of 27\. Add/,
  });
  const others = { ...plan, names: ["source 0", "source 9", "source 2"] };
  assert.throws(() => createSampler({ ...options, plan: others }), {
    code: "CONFIG",
    message: /got "source 9" where there are source 0, source 1, source 2/,
  });
});
