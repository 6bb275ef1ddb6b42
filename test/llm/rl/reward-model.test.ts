/** Rewards by a reward model of the same tokenizer, and a run in which nothing may be learned. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { saveCheckpoint } from "../../../src/llm/model/checkpoint.node.ts";
import { initialise } from "../../../src/llm/model/parameters.ts";
import { initialiseScalarHead, rewardModelSpecs } from "../../../src/llm/model/scalar-head.ts";
import type { RlConfig } from "../../../src/llm/rl/config.ts";
import type { StepRecord } from "../../../src/llm/rl/metric-records.node.ts";
import { reinforce } from "../../../src/llm/rl/rl.node.ts";
import type { BpeTokenizer } from "../../../src/llm/tokenizer/bpe.ts";
import { toTokenizerJson } from "../../../src/llm/tokenizer/tokenizer-json.ts";
import { chatTokenizer } from "../chat/tokenizer.ts";
import { byteChatTokenizer } from "../sft/small-model.ts";
import { bandit, saveSmallModel, silent, smallConfig, smallRl } from "./small-model.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-rl-judge-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const model = await saveSmallModel(join(folder, "start"));

/** Random weights, shown on a scale where they lie about 100. */
async function saveJudge(name: string, tokenizer: BpeTokenizer): Promise<string> {
  const store = createReferenceBackend().createStore();
  const config = { ...smallConfig, vocabSize: tokenizer.vocabSize };
  await initialise(store, config, 9);
  await initialiseScalarHead(store, config, 9);
  const texts = {
    "tokenizer.json": toTokenizerJson(tokenizer),
    "reward.json": JSON.stringify({ mean: -100, std: 1 }),
  };
  const content = { step: 1, config, store, texts, specs: rewardModelSpecs(config) };
  return saveCheckpoint(join(folder, name), content);
}

async function runSteps(out: string, values: Partial<RlConfig>): Promise<readonly StepRecord[]> {
  const config = smallRl({ model, out: join(folder, out), steps: 1, ...values });
  await reinforce(config, silent, new AbortController().signal, [bandit]);
  const lines = readFileSync(join(config.out, "metrics.jsonl"), "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line)).filter((record) => "reward" in record);
}

test("a reward model rewards, alone or beside the program", async () => {
  const rewardModel = await saveJudge("judge", chatTokenizer);
  const [alone] = await runSteps("alone", { reward: "model", rewardModel });
  assert.ok(alone && alone.reward > 90 && alone.reward < 110 && alone.grade < 0.5);
  assert.ok(alone.rewardStd > 0 && alone.zeroVariance === 0, "texts are told apart");
  const both = { reward: "both", rewardModel, rewardModelWeight: 0.01 } as const;
  const [mixed] = await runSteps("both", both);
  assert.ok(mixed && Math.abs(mixed.reward - (mixed.grade + 0.01 * alone.reward)) < 1e-6);
});

test("a reward model of another tokenizer is refused", async () => {
  const rewardModel = await saveJudge("stranger", byteChatTokenizer);
  await assert.rejects(runSteps("refused", { reward: "model", rewardModel }), {
    code: "CONFIG",
    message: /reward model and policy must share a tokenizer/,
  });
});

test("when every reply is cut off and none may be learned, nothing moves and nothing fails", async () => {
  for (const algorithm of ["ppo", "grpo", "dpo", "star"] as const) {
    // A mark ends a reply, so that only few samples of a random model are all cut off.
    const few = { promptsPerStep: 1, samplesPerPrompt: 3, seed: 7 };
    const values = { ...few, algorithm, maskTruncated: true, kl: 0.1, steps: 3, maxSkips: 2 };
    const records = await runSteps(`masked-${algorithm}`, values);
    assert.deepEqual(
      records.map(({ updates, truncated }) => [updates, truncated]),
      [1, 2, 3].map(() => [0, 1]),
      algorithm,
    );
  }
});
