/** Held-out numbers on sets made by hand: accuracy, its interval, length bias, scale. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { renderHistogram } from "../../../src/llm/reward/card.ts";
import { type Measurement, summariseRewards } from "../../../src/llm/reward/measure.ts";
import type { RankedRows } from "../../../src/llm/reward/ranked-rows.ts";

/** A pair: the first answer is the better one. */
function pair(lengths: readonly [number, number], source = "a"): RankedRows {
  return {
    ...{ source, lengths, references: [0] },
    rows: lengths.map((length) => new Int32Array(length)),
    pairs: [{ chosen: 0, rejected: 1, margin: 0 }],
  };
}

/** A judge by length alone, on 8 pairs won by the longer answer and 2 by the shorter. */
function judgeByLength(): Measurement {
  const longer = Array.from({ length: 8 }, (_, i) => pair([10 + i, 4]));
  const held = [...longer, pair([3, 9], "b"), pair([5, 6], "b")];
  return summariseRewards(
    held,
    held.flatMap(({ lengths }) => lengths.map((length) => 0.5 * length - 3)),
  );
}

test("a judge that only looks at length is found out", () => {
  const { accuracy, lengthBias, sources } = judgeByLength();
  assert.equal(accuracy, 0.8);
  assert.equal(lengthBias.longerWins, 0.8);
  assert.ok(Math.abs((lengthBias.correlation ?? 0) - 1) < 1e-12);
  assert.deepEqual([lengthBias.longerBetter, lengthBias.shorterBetter], [1, 0]);
  assert.deepEqual(sources, {
    a: { accuracy: 1, prompts: 8 },
    b: { accuracy: 0, prompts: 2 },
  });
});

test("a judge that does not look at length", () => {
  const held = [pair([1, 9]), pair([9, 1]), pair([4, 4])];
  const { accuracy, lengthBias } = summariseRewards(held, [1, 0, 1, 0, 1, 0]);
  assert.deepEqual([accuracy, lengthBias.longerWins], [1, 0.5]);
  assert.deepEqual([lengthBias.longerBetter, lengthBias.shorterBetter], [1, 1]);
  assert.ok(Math.abs(lengthBias.correlation ?? 1) < 1e-12);
  const same = summariseRewards([pair([3, 3])], [1, 0]).lengthBias;
  assert.deepEqual([same.correlation, same.shorterBetter], [undefined, undefined]);
});

test("Wilson's interval of 8 in 10 prompts; of 10 in 10 it ends at 1", () => {
  const { low, high, prompts, pairs } = judgeByLength();
  // Published in most tables: 0.4902 to 0.9433.
  assert.ok(Math.abs(low - 0.4902) < 1e-4 && Math.abs(high - 0.9433) < 1e-4, `${low} ${high}`);
  assert.deepEqual([prompts, pairs], [10, 10]);
  const ten = Array.from({ length: 10 }, () => pair([1, 2]));
  const all = summariseRewards(
    ten,
    ten.flatMap(() => [5, 4]),
  );
  assert.ok(Math.abs(all.low - 0.7225) < 1e-4 && all.high === 1, `${all.low} ${all.high}`);
});

test("a prompt counts once: three pairs of one weigh as much as one of another", () => {
  const three: RankedRows = {
    ...{ source: "a", lengths: [1, 2, 3], references: [0] },
    rows: [1, 2, 3].map((length) => new Int32Array(length)),
    pairs: [
      { chosen: 0, rejected: 1, margin: 0 },
      { chosen: 0, rejected: 2, margin: 0 },
      { chosen: 1, rejected: 2, margin: 0 },
    ],
  };
  // All three wrong, then one that is right; the other prompt has a draw.
  const { accuracy, loss, lead, scale } = summariseRewards(
    [three, pair([1, 1])],
    [0, 1, 0.5, 2, 2],
  );
  assert.ok(Math.abs(accuracy - (1 / 3 + 0.5) / 2) < 1e-12);
  const softplus = (x: number): number => Math.log1p(Math.exp(x));
  const byHand = ((softplus(1) + softplus(0.5) + softplus(-0.5)) / 3 + Math.LN2) / 2;
  assert.ok(Math.abs(loss - byHand) < 1e-12);
  assert.deepEqual(scale, { mean: 1, std: 1 });
  assert.ok(Math.abs(lead + 1 / 6) < 1e-12);
});

test("the histogram holds every answer, the outermost in the outer bins", () => {
  const held = [pair([1, 1]), pair([1, 1]), pair([1, 1])];
  const { histogram } = summariseRewards(held, [1, -1000, 2, 0, 3, 1000]);
  const count = (bins: readonly number[]): number => bins.reduce((sum, n) => sum + n, 0);
  assert.deepEqual([count(histogram.better), count(histogram.worse)], [3, 3]);
  assert.deepEqual([histogram.worse[0], histogram.worse.at(-1)], [1, 1]);
  assert.equal(renderHistogram(histogram).split("\n").length, histogram.better.length);
});

test("equal reference rewards have no spread, and nothing is divided by 0", () => {
  const { scale, lead } = summariseRewards([pair([1, 1]), pair([1, 1])], [2, 1, 2, 0]);
  assert.deepEqual(scale, { mean: 2, std: 1 });
  assert.equal(lead, 1.5);
});
