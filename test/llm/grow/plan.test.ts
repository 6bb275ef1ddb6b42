/** What each stage is told: the chain of folders, the dials, and what a word for the preset may be. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { depthOf, type GrowConfig, growOptions } from "../../../src/llm/grow/config.ts";
import { planGrowth } from "../../../src/llm/grow/plan.ts";
import { resolveOptions } from "../../../src/options.ts";

function configOf(values: Partial<GrowConfig>): GrowConfig {
  return resolveOptions(growOptions, { from: "test", values });
}

for (const preset of ["tiny", "kernel", "laptop", "depth=4"])
  test(`${preset}: each stage starts from the one before it, under one seed`, () => {
    const plan = planGrowth(configOf({ preset, out: "here", seed: 7, threads: 1 }), true);
    const { pretrain, sft, reward, rl, evals } = plan;
    assert.deepEqual(
      [pretrain, sft, reward, rl].map(({ out }) => out),
      ["here/1-pretrain", "here/2-sft", "here/3-reward", "here/4-rl"],
    );
    assert.deepEqual(
      [sft.model, reward.model, rl.model, evals.reward],
      ["here/1-pretrain", "here/2-sft", "here/2-sft", "here/3-reward"],
    );
    for (const stage of [pretrain, sft, reward, rl, evals])
      assert.deepEqual([stage.seed, stage.threads], [7, 1]);
    assert.equal(pretrain.depth, { tiny: 3, kernel: 4, laptop: 6, "depth=4": 4 }[preset]);
  });

test("without a compiler every stage is a sketch", () => {
  const [full, sketch] = [true, false].map((compiled) => planGrowth(configOf({}), compiled));
  for (const stage of ["pretrain", "sft", "rl"] as const)
    assert.ok((sketch?.[stage].steps as number) < (full?.[stage].steps as number), stage);
  assert.ok((sketch?.evals.maxRows as number) < (full?.evals.maxRows as number));
});

test("a preset is tiny, kernel, laptop or a depth from 1 to 128", () => {
  assert.deepEqual(
    ["depth=1", "depth=128", "depth=0", "depth=129", "depth=x", "kernel"].map(depthOf),
    [1, 128, undefined, undefined, undefined, undefined],
  );
  assert.throws(() => configOf({ preset: "depth=0" }), { code: "CONFIG" });
  assert.throws(() => configOf({ preset: "large" }), /must be tiny, kernel, laptop or depth=N/);
});
