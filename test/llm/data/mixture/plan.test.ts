import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readFractions, shareBytes } from "../../../../src/llm/data/mixture/budget.ts";
import { type MixturePlan, rowsOfSource } from "../../../../src/llm/data/mixture/plan.ts";
import { type PlanOptions, planMixture } from "../../../../src/llm/data/mixture/plan-mixture.ts";
import {
  applyPreset,
  toShares,
  withTemperature,
} from "../../../../src/llm/data/mixture/presets.ts";

const near = (actual: readonly number[], expected: readonly number[], tolerance = 1e-9): void => {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of actual.entries()) {
    assert.ok(Math.abs(value - (expected[i] as number)) <= tolerance, `${actual} ≠ ${expected}`);
  }
};
const total = (plan: MixturePlan, row: number): number[] =>
  plan.names.map((_, i) => rowsOfSource(plan, i, row));

/** What `rowsOfSource` must be, row by row: shares at the middle of each row, summed. */
function slowRows(plan: MixturePlan, row: number): number[] {
  const sums = plan.names.map(() => 0);
  for (let at = 0.5; at < row; at++) {
    const segment = plan.segments.find(({ fromRow, toRow }) => at > fromRow && at < toRow);
    assert.ok(segment !== undefined, `no segment holds row ${at}`);
    const { fromRow, toRow, sharesAtStart, sharesAtEnd } = segment;
    const part = (at - fromRow) / (toRow - fromRow);
    for (const i of sums.keys()) {
      const [a, b] = [sharesAtStart[i] as number, sharesAtEnd[i] as number];
      sums[i] = (sums[i] as number) + a + part * (b - a);
    }
  }
  return sums;
}

test("fixed weights are one straight segment", () => {
  const plan = planMixture({ names: ["a", "b"], weights: [3, 1], rows: 1000 });
  assert.equal(plan.segments.length, 1);
  near(total(plan, 1000), [750, 250]);
  near(total(plan, 10), [7.5, 2.5]);
});

test("a schedule is straight between its points and held to the end", () => {
  const plan = planMixture({
    names: ["a", "b"],
    weights: [1, 0],
    rows: 100,
    rowsPerStep: 2,
    schedule: [
      { at: 0.2, weights: {} },
      { at: 30, weights: { a: 0, b: 1 } },
    ],
  });
  assert.deepEqual(
    plan.segments.map(({ fromRow, toRow }) => [fromRow, toRow]),
    [
      [0, 20],
      [20, 60],
      [60, 100],
    ],
  );
  near(total(plan, 20), [20, 0]);
  near(total(plan, 40), [35, 5]);
  near(total(plan, 60), [40, 20]);
  near(total(plan, 100), [40, 60]);
});

test("two points at one place are a jump; a point beyond the end is aimed at", () => {
  const jump = planMixture({
    names: ["a", "b"],
    weights: [1, 0],
    rows: 100,
    schedule: [
      { at: 0.5, weights: {} },
      { at: 0.5, weights: { a: 0, b: 1 } },
    ],
  });
  near(total(jump, 50), [50, 0]);
  near(total(jump, 100), [50, 50]);
  const schedule = [{ at: 200, weights: { a: 0, b: 1 } }];
  const beyond = planMixture({ names: ["a", "b"], weights: [1, 0], rows: 100, schedule });
  near(total(beyond, 100), [75, 25]);
});

test("a source that was seen often enough leaves, its share goes on in proportion", () => {
  const plan = planMixture({
    names: ["small", "b", "c"],
    weights: [0.5, 0.3, 0.2],
    rows: 1000,
    mostRows: [100, undefined, undefined],
  });
  assert.equal(plan.segments[0]?.toRow, 200);
  near(plan.segments[1]?.sharesAtStart ?? [], [0, 0.6, 0.4]);
  near(total(plan, 1000), [100, 60 + 480, 40 + 320]);
});

test("several caps in a row, and sources that cannot last", () => {
  const options = { names: ["a", "b", "c"], weights: [1, 1, 1], mostRows: [50, 110, 300] };
  const plan = planMixture({ ...options, rows: 400 });
  near(total(plan, 400), [50, 110, 240], 1);
  assert.ok((total(plan, 400)[0] as number) <= 50 && (total(plan, 400)[1] as number) <= 110);
  assert.throws(() => planMixture({ ...options, rows: 500 }), {
    code: "CONFIG",
    message: /last for 500 rows within their maxEpochs, got enough for 4\d\d .*Raise maxEpochs/,
  });
});

const anyPlan: fc.Arbitrary<PlanOptions> = fc
  .record({
    weights: fc.array(fc.double({ min: 0.01, max: 10, noNaN: true }), {
      minLength: 2,
      maxLength: 4,
    }),
    ats: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }),
    later: fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { minLength: 12, maxLength: 12 }),
    temperature: fc.double({ min: 0.3, max: 4, noNaN: true }),
    rows: fc.integer({ min: 1, max: 700 }),
    caps: fc.array(fc.option(fc.integer({ min: 0, max: 200 })), { minLength: 3, maxLength: 3 }),
  })
  .map(({ weights, ats, later, temperature, rows, caps }) => {
    const names = weights.map((_, i) => `s${i}`);
    const pointWeights = (k: number) =>
      Object.fromEntries(names.map((name, i) => [name, (later[3 * k + i] ?? 1) + 0.1]));
    const schedule = [...ats]
      .sort((a, b) => a - b)
      .map((at, k) => ({ at, weights: pointWeights(k) }));
    // The last source never ends, so every plan lasts.
    const mostRows = names.map((_, i) =>
      i === names.length - 1 ? undefined : (caps[i] ?? undefined),
    );
    return { names, weights, schedule, temperature, rows, mostRows };
  });

test("any plan: shares sum to 1, rows add up, caps hold, the closed form is the sum", () => {
  fc.assert(
    fc.property(anyPlan, (options) => {
      const plan = planMixture(options);
      assert.equal(plan.segments[0]?.fromRow, 0);
      assert.equal(plan.segments.at(-1)?.toRow, options.rows);
      for (const [k, segment] of plan.segments.entries()) {
        if (k > 0) assert.equal(segment.fromRow, plan.segments[k - 1]?.toRow);
        for (const shares of [segment.sharesAtStart, segment.sharesAtEnd]) {
          near([shares.reduce((a, b) => a + b)], [1], 1e-9);
          assert.ok(shares.every((share) => share >= 0));
        }
        assert.ok(segment.toRow > segment.fromRow);
      }
      const rows = total(plan, options.rows);
      near([rows.reduce((a, b) => a + b)], [options.rows], 1e-6);
      for (const [i, most] of (options.mostRows ?? []).entries())
        assert.ok((rows[i] as number) <= (most ?? Number.POSITIVE_INFINITY) + 1e-6);
      near(rows, slowRows(plan, options.rows), 1e-6);
      const middle = Math.floor(options.rows / 2);
      near(total(plan, middle), slowRows(plan, middle), 1e-6);
    }),
    { numRuns: 200 },
  );
});

test("schedules that cannot be are refused in one line", () => {
  const base = { names: ["wiki", "books"], weights: [1, 1], rows: 10 };
  const refuse = (options: object, message: RegExp): void => {
    assert.throws(() => planMixture({ ...base, ...options }), { code: "CONFIG", message });
  };
  refuse({ schedule: [{ at: 0, weights: { boks: 1 } }] }, /unknown "boks". Did you mean "books"/);
  refuse({ schedule: [{ at: 0, weights: { wiki: 0, books: 0 } }] }, /positive sum, got \[0,0\]/);
  refuse({ weights: [0, 0] }, /positive sum/);
  refuse(
    {
      schedule: [
        { at: 0.5, weights: {} },
        { at: 0.2, weights: {} },
      ],
    },
    /in order, got rows 0, 5, 2/,
  );
});

test("temperature flattens or sharpens, and leaves what is off", () => {
  near(withTemperature([9, 1, 0], 1), [0.9, 0.1, 0]);
  near(withTemperature([9, 1, 0], 2), [0.75, 0.25, 0]);
  near(withTemperature([9, 1, 0], 0.5), [81 / 82, 1 / 82, 0]);
  near(withTemperature([9, 1, 0], 1e9), [0.5, 0.5, 0], 1e-6);
  near(withTemperature([9, 1, 0], 1e-3), [1, 0, 0]);
  near(withTemperature([0, 0], 2), [0, 0]);
});

const at = (name: string, domain: "web" | "news" | "code" | "books" | "forum", bytes: number) => {
  return { name, domain, bytes, weight: 1 };
};

test("the slots of the LLaMA paper are filled by domain, shared by size", () => {
  const sources = [at("blogs", "web", 30), at("pages", "web", 10), at("novels", "books", 5)];
  const { weights, slots } = applyPreset("llama", sources);
  near(weights, [67 * 0.75, 67 * 0.25, 4.5]);
  near(toShares(weights), [0.703, 0.234, 0.063], 1e-3);
  assert.equal(
    slots.reduce((sum, { share }) => sum + share, 0),
    100,
  );
  const empty = slots.filter((slot) => slot.sources.length === 0).map(({ name }) => name);
  assert.deepEqual(empty, ["C4", "GitHub", "Wikipedia", "arXiv", "StackExchange"]);
  // A source named as one of the sets is that set.
  const named = applyPreset("llama", [at("c4", "web", 1), at("arxiv-abstracts", "web", 1)]);
  near(named.weights, [15, 2.5]);
});

test("other presets go by weight, by size or by number", () => {
  const sources = [at("a", "web", 30), { ...at("b", "code", 10), weight: 4 }];
  assert.deepEqual(applyPreset("as-given", sources).weights, [1, 4]);
  assert.deepEqual(applyPreset("natural", sources).weights, [30, 10]);
  assert.deepEqual(applyPreset("uniform", sources).weights, [1, 1]);
  assert.deepEqual(applyPreset("uniform", [at("a", "web", 3), at("b", "web", 0)]).weights, [1, 0]);
  assert.deepEqual(applyPreset("uniform", sources).slots, []);
});

test("a budget is shared by weight; small sources stay whole and leave the rest", () => {
  near(shareBytes([3_000_000, 4_000_000, 5000], [3, 1, 4], 1_000_000), [746_250, 248_750, 5000]);
  near(shareBytes([10, 20], [1, 1], 100), [10, 20]);
  near(shareBytes([10, 20, 30], [0, 1, 1], 20), [0, 10, 10]);
  near(
    readFractions([3_000_000, 4_000_000, 5000, 0], [3, 1, 4, 1], 1_000_000),
    [0.24875, 0.0621875, 1, 1],
  );
});
