/** Small parts against numbers worked by hand: GAE over tool calls, selection, β, minibatches. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { estimateAdvantages } from "../../../src/llm/rl/advantages/gae.ts";
import { nextKlWeight } from "../../../src/llm/rl/advantages/kl-controller.ts";
import { sampleKl, tokenRewards } from "../../../src/llm/rl/advantages/token-rewards.ts";
import { whiten } from "../../../src/llm/rl/advantages/whiten.ts";
import type { Sample } from "../../../src/llm/rl/experience.ts";
import { minibatches } from "../../../src/llm/rl/learn.ts";
import type { Bundle } from "../../../src/llm/rl/learn-rows.ts";
import { lossWeight } from "../../../src/llm/rl/losses/loss-weights.ts";
import { bestOfGroups, distinctAccepted, pairUp } from "../../../src/llm/rl/select-samples.ts";
import { startTimer } from "../../../src/llm/rl/timer.ts";

const floats = (...values: number[]): Float32Array => Float32Array.from(values);

test("GAE steps over what a tool wrote", () => {
  const mask = Uint8Array.of(0, 1, 0, 0, 1, 0);
  const { advantages, returns } = estimateAdvantages(
    // What stands on unchosen targets must not matter.
    { rewards: floats(9, 0, 9, 9, 1, 9), values: floats(9, 0.5, 9, 9, 0.25, 9), mask },
    0.5,
    0.5,
  );
  // δ of the last choice: 1 - ¼ = ¾. Of the first: ½·¼ - ½ = -⅜, and ¼·¾ = 3/16 on top.
  assert.deepEqual([...advantages], [0, -0.1875, 0, 0, 0.75, 0]);
  assert.deepEqual([...returns], [0, 0.3125, 0, 0, 1, 0]);
});

test("token rewards: KL on every choice, the reward on the last", () => {
  const tokens = {
    logprobs: floats(0, -1, -2, 0),
    referenceLogprobs: floats(-7, -3, -1, -7),
    mask: Uint8Array.of(0, 1, 1, 0),
  };
  assert.deepEqual([...tokenRewards(tokens, 10, 0.5)], [0, -1, 10.5, 0]);
  assert.equal(sampleKl(tokens), 1);
  assert.deepEqual(
    [...tokenRewards({ ...tokens, mask: new Uint8Array(4) }, 10, 0.5)],
    [0, 0, 0, 0],
  );
});

test("whitening leaves one token alone and never divides by 0", () => {
  const alone = [floats(3, 0)];
  whiten(alone, [Uint8Array.of(1, 0)]);
  assert.deepEqual([...(alone[0] as Float32Array)], [3, 0]);
  const same = [floats(2, 2), floats(2)];
  whiten(same, [Uint8Array.of(1, 1), Uint8Array.of(1)]);
  assert.deepEqual(
    same.flatMap((row) => [...row]),
    [0, 0, 0],
  );
});

test("the KL controller moves by 2 % at most, and not at all without a target", () => {
  assert.equal(nextKlWeight(0.1, 99, undefined), 0.1);
  assert.equal(nextKlWeight(0.1, 99, 2), 0.1 * 1.02);
  assert.equal(nextKlWeight(0.1, 0, 2), 0.1 * 0.98);
  assert.equal(nextKlWeight(0.1, 2.2, 2), 0.1 * (1 + 0.1 * (2.2 / 2 - 1)));
});

test("a sample without chosen tokens has no weight under any average", () => {
  for (const type of ["grpo", "dr_grpo", "dapo"] as const)
    assert.deepEqual(lossWeight(type, 0, 8), { token: 0, units: 0 });
});

function sample(reward: number, id: number, truncated = false): Sample {
  return { reward, ids: Int32Array.of(id), rollout: { truncated } } as never as Sample;
}

const group = [sample(0, 1), sample(1, 2), sample(1, 2), sample(0.5, 3), sample(1, 4)];
const ids = (samples: readonly Sample[]): number[] => samples.map((one) => one.ids[0] as number);

test("best-of-n takes the first best of a prompt, and none where all are alike", () => {
  assert.deepEqual(ids(bestOfGroups([group, [sample(1, 7), sample(1, 8)]])), [2]);
});

test("STaR takes accepted texts, each once", () => {
  assert.deepEqual(ids(distinctAccepted([group, [sample(0.9, 9)]], { accept: 1 })), [2, 4]);
  assert.deepEqual(ids(distinctAccepted([[sample(0.9, 9)]], { accept: 0.5 })), [9]);
});

test("pairs go from best against worst inwards, and only where rewards differ", () => {
  const pairs = (truncated: boolean) =>
    pairUp([[...group, sample(0, 5, truncated)]], { maskTruncated: true }).map(ids);
  assert.deepEqual(pairs(false), [
    [2, 5],
    [2, 1],
    [4, 3],
  ]);
  assert.deepEqual(pairs(true), [
    [2, 1],
    [2, 3],
  ]);
});

test("minibatches: every row once a pass, another order each pass, the same again", () => {
  const bundles = Array.from({ length: 7 }, (_, i) => [{ perRow: { i } }]) as never as Bundle[];
  const rules = { seed: 3, epochs: 2, minibatches: 3 };
  const cut = minibatches(bundles, rules, 4);
  assert.deepEqual(
    cut.map(({ length }) => length),
    [3, 3, 1, 3, 3, 1],
  );
  const passes = [cut.slice(0, 3).flat(), cut.slice(3).flat()];
  for (const pass of passes) assert.equal(new Set(pass).size, 7);
  assert.notDeepEqual(passes[0], passes[1]);
  assert.deepEqual(minibatches(bundles, rules, 4), cut);
  assert.notDeepEqual(minibatches(bundles, rules, 5), cut);
  assert.deepEqual(minibatches([], rules, 4), []);
});

test("laps add up under their names and are taken once", () => {
  const timer = startTimer();
  timer.lap("learning");
  timer.lap("learning");
  assert.ok(timer.take().learning > 0);
  assert.deepEqual(timer.take(), { waiting: 0, generating: 0, scoring: 0, learning: 0 });
});
