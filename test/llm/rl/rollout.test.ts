/** Rollouts by a real generator and a real tool, what they are worth, and what is said of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { createBatchGenerator } from "../../../src/llm/inference/batch-generator.ts";
import { createLogprobScorer } from "../../../src/llm/inference/logprobs.ts";
import type { RewardScorer } from "../../../src/llm/inference/score.ts";
import { gatherExperience, meanKl } from "../../../src/llm/rl/experience.ts";
import { rewardGroups, type ScoredGroup } from "../../../src/llm/rl/rewards.ts";
import {
  drawProblems,
  type Rollout,
  type RolloutGroup,
  rollOut,
} from "../../../src/llm/rl/rollout.ts";
import { describeRollouts, findWarnings } from "../../../src/llm/rl/rollout-statistics.ts";
import { wilson } from "../../../src/llm/run/wilson.ts";
import { clockTask } from "../../../src/llm/tasks/clock.ts";
import { tasks } from "../../../src/llm/tasks/table.ts";
import type { Problem } from "../../../src/llm/tasks/task.ts";
import { assertClose } from "../../compute/close.ts";
import { type Chains, chattingConfig, chattingStore, talksOn } from "../chat/chatting-model.ts";
import { chatTokenizer, idsOf } from "../chat/tokenizer.ts";
import { smallRl } from "./small-model.ts";

/** Right when the tool was asked once and the last turn says so. */
const problem: Problem = {
  prompt: [{ role: "user", content: "time?" }],
  solution: [],
  context: { now: new Date(2026, 4, 6, 7, 8), files: {} },
  grade: (reply) =>
    reply.length === 3 && reply[1]?.role === "tool" && reply[2]?.content === "Done." ? 1 : 0,
};

const options = { samplesPerPrompt: 2, maxTokens: 20, temperature: 0.01, seed: 5, stream: 0 };

async function roll(chains?: Chains, changes: Partial<typeof options> = {}) {
  const backend = createReferenceBackend();
  const store = await chattingStore(chains);
  const generation = { precision: "f32", slots: 2 } as const;
  const generator = createBatchGenerator(backend, store, chattingConfig, generation);
  const signal = new AbortController().signal;
  const groups = await rollOut(
    generator,
    chatTokenizer,
    [problem],
    { ...options, ...changes },
    signal,
  );
  return { backend, store, groups: groups ?? [] };
}

const firstOf = (groups: readonly RolloutGroup[]): Rollout =>
  (groups[0] as RolloutGroup).rollouts[0] as Rollout;

test("a tool's result is in the rollout and is nobody's choice", async () => {
  const { backend, store, groups } = await roll();
  const first = firstOf(groups);
  assert.deepEqual([first.grade, first.wellFormed, first.truncated], [1, true, false]);
  const { ids, sampled, promptLength } = first.trajectory;
  const chosen = ids.filter((_, i) => sampled[i] === 1);
  const call = idsOf("<|call_start|>clock {}<|call_end|><|assistant_end|>");
  assert.deepEqual([...chosen], [...call, ...idsOf("Done.<|assistant_end|>")]);
  const [from, to] = ["<|tool_start|>", "<|tool_end|>"].map((mark) =>
    ids.indexOf(idsOf(mark)[0] as number),
  ) as [number, number];
  assert.ok(from > promptLength && to > from + 5);

  const scored = await rewardGroups(groups, smallRl({}), undefined);
  const scorer = await createLogprobScorer(backend, store, chattingConfig, {
    ...{ B: 2, T: 95, precision: "f32" },
  });
  const [samples] = await gatherExperience(scored, scorer, true, undefined);
  const sample = samples?.[0];
  assert.equal(sample?.mask.length, ids.length - 1);
  for (let i = from; i <= to; i++) assert.equal(sample?.mask[i - 1], 0, `target ${i - 1}`);
  assert.equal(sample?.mask[promptLength - 1], 1, "the first target is the reply's first token");
  const chosenOf = (values: Float32Array): Float32Array =>
    values.filter((_, t) => sample.mask[t] === 1);
  const { logprobs, referenceLogprobs = logprobs } = sample;
  const [written, read] = [logprobs, referenceLogprobs].map(chosenOf);
  assertClose("one model writes and reads", written ?? [], read ?? [1], 1e-5);
  const [few] = await gatherExperience(scored, scorer, false, undefined);
  assert.deepEqual(few?.[0]?.referenceLogprobs, referenceLogprobs);
  assert.equal(few?.[1]?.referenceLogprobs, undefined);
  assert.equal(meanKl([few ?? []]), meanKl([[sample]]));
});

test("a reply that never ends is cut off, graded and penalised", async () => {
  const { groups } = await roll(talksOn, { maxTokens: 7 });
  const rollout = firstOf(groups);
  assert.deepEqual([rollout.grade, rollout.truncated], [0, true]);
  const rules = smallRl({ maxTokens: 7, lengthPenalty: 0.2, missingEndPenalty: 0.5 });
  const [scored] = await rewardGroups(groups, rules, undefined);
  assert.deepEqual(scored?.rewards, [-0.7, -0.7]);
  const statistics = describeRollouts([scored as ScoredGroup]);
  assert.deepEqual(
    [statistics.truncated, statistics.length, statistics.zeroVariance, statistics.sampledTokens],
    [1, 7, 1, 14],
  );
});

test("program, reward model and both", async () => {
  const { groups } = await roll();
  const scorer: RewardScorer = {
    longest: 100,
    score: async (rows) => Float32Array.from(rows, (_, i) => i - 4),
    dispose: async () => {},
  };
  const rewards = async (reward: "program" | "model" | "both") =>
    (await rewardGroups(groups, smallRl({ reward, rewardModelWeight: 0.5 }), scorer))[0]?.rewards;
  assert.deepEqual(await rewards("program"), [1, 1]);
  assert.deepEqual(await rewards("model"), [-4, -3]);
  assert.deepEqual(await rewards("both"), [-1, -0.5]);
});

test("rollouts are a function of seed and stream", async () => {
  const warm = { temperature: 3, samplesPerPrompt: 4 };
  const texts = async (changes: Partial<typeof options>): Promise<string[]> => {
    const { groups } = await roll(undefined, { ...warm, ...changes });
    return groups.flatMap(({ rollouts }) =>
      rollouts.map(({ trajectory }) => trajectory.ids.join()),
    );
  };
  const first = await texts({});
  assert.deepEqual(await texts({}), first);
  assert.equal(new Set(first).size, 4, "samples of one prompt differ");
  assert.notDeepEqual(await texts({ stream: 1 }), first);
  assert.notDeepEqual(await texts({ seed: 6 }), first);
});

test("problems of several tasks take turns and never come from the other side", () => {
  const two = [clockTask, tasks.get("steps") as typeof clockTask];
  const drawn = drawProblems(two, 0, 4, "train", 1);
  const later = drawProblems(two, 2, 2, "train", 1);
  const questions = (of: readonly Problem[]) => of.map(({ prompt }) => prompt.at(-1)?.content);
  assert.deepEqual(questions(drawn).slice(2), questions(later));
  assert.notDeepEqual(questions(drawProblems(two, 0, 4, "test", 1)), questions(drawn));
});

const healthy = {
  ...{ rollouts: 8, reward: 0.5, rewardStd: 0.5, grade: 0.5, length: 20, entropy: 0.5 },
  ...{ sampledTokens: 160, truncated: 0, malformed: 0, zeroVariance: 0.2 },
};

test("warnings name what is wrong, and nothing when all is well", () => {
  const names = (changes: Partial<typeof healthy>, kl = 1): string[] =>
    findWarnings({ ...healthy, ...changes }, kl).map(({ name }) => name);
  assert.deepEqual(names({}), []);
  assert.deepEqual(names({ truncated: 0.31 }), ["truncated"]);
  assert.deepEqual(names({ zeroVariance: 0.81 }), ["zero-variance"]);
  assert.deepEqual(names({ reward: 0, rewardStd: 0 }), ["zero-reward"]);
  assert.deepEqual(names({ entropy: 0.001 }), ["entropy"]);
  assert.deepEqual(names({}, 21), ["kl"]);
  assert.deepEqual(names({ rollouts: 0, entropy: 0 }), [], "nothing was rolled out");
});

test("Wilson's interval, from its own formula at 8 of 10 and at the ends", () => {
  // Newcombe 1998, table I: 81/263 is 0.2553 to 0.3662; 0/20 is 0 to 0.1611.
  const { low, high } = wilson(81, 263);
  assert.ok(Math.abs(low - 0.2553) < 5e-5 && Math.abs(high - 0.3662) < 5e-5, `${low} ${high}`);
  assert.ok(Math.abs(wilson(0, 20).high - 0.1611) < 5e-5);
  assert.ok(Math.abs(wilson(20, 20).low - (1 - 0.1611)) < 5e-5);
});
