/**
 * The whole talk end to end in seconds: every stage for real, at a size that learns nothing. A
 * start that was stopped goes on, a finished one does nothing again, `from` repeats the rest.
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type GrowConfig, growOptions } from "../../../src/llm/grow/config.ts";
import { grow } from "../../../src/llm/grow/grow.node.ts";
import { type GrowPlan, planGrowth } from "../../../src/llm/grow/plan.ts";
import {
  folderOf,
  readState,
  removeGrown,
  type StepName,
} from "../../../src/llm/grow/state.node.ts";
import { pretrain } from "../../../src/llm/pretrain/pretrain.node.ts";
import type { Talk } from "../../../src/llm/run/talk.ts";
import { resolveOptions } from "../../../src/options.ts";

const root = mkdtempSync(join(tmpdir(), "nutshell-grow-"));
after(() => rmSync(root, { recursive: true }));
const out = join(root, "run");
const never = new AbortController().signal;

function configOf(values: Partial<GrowConfig> = {}): GrowConfig {
  return resolveOptions(growOptions, { from: "test", values: { out, seed: 1, ...values } });
}

/** The preset's plan, cut down; the mixture is a few stories. */
function smallPlan(config: GrowConfig): GrowPlan {
  const plan = planGrowth(config, false);
  const few = { steps: 2, batchSize: 2, logEvery: 1 };
  const base = { ...few, vocabSize: 400, maxBytes: 60_000, clean: "off", evals: "off" } as const;
  const small = { depth: 1, nEmbd: 16, nHead: 1, nFfn: 16, sequenceLen: 192, evalBatches: 1 };
  return {
    ...plan,
    pretrain: { ...plan.pretrain, ...base, ...small, warmup: 1, warmdown: 1, saveEvery: 2 },
    sft: { ...plan.sft, ...few, conversations: 200, evalConversations: 2, warmup: 0, warmdown: 1 },
    reward: { ...plan.reward, steps: 2, builtin: 8, heldOut: 4, sequenceLen: 128, warmup: 0 },
    rl: { ...plan.rl, steps: 1, promptsPerStep: 2, samplesPerPrompt: 2, evalProblems: 2, slots: 4 },
    evals: { ...plan.evals, suite: "assistant,talk", maxRows: 1, maxTokens: 8 },
  };
}

function listening(): Talk & { readonly said: string[] } {
  const said: string[] = [];
  return { said, say: (text) => void said.push(text), status: () => {} };
}

const announced = ({ said }: { said: string[] }): string[] =>
  said.flatMap((text) => /== \d\/5 (\w+):/.exec(text)?.[1] ?? []);

const timeOf = (step: StepName): number => statSync(folderOf(out, step)).mtimeMs;

test("a stopped start goes on, and ends with a report of every stage", async () => {
  const stop = new AbortController();
  const first = listening();
  const stopping: Talk = {
    ...first,
    say(text) {
      first.say(text);
      if (text.includes("2/5 sft")) stop.abort();
    },
  };
  const config = configOf();
  assert.equal(await grow(config, stopping, stop.signal, smallPlan(config)), undefined);
  assert.deepEqual(announced(first), ["pretrain", "sft"]);
  assert.ok(!existsSync(join(out, "report.json")));

  const second = listening();
  const record = await grow(config, second, never, smallPlan(config));
  assert.deepEqual(announced(second), ["sft", "reward", "rl", "eval"]);
  assert.deepEqual(
    record?.stages.map(({ name, steps }) => [name, steps]),
    ["pretrain", "sft", "reward", "rl"].map((name) => [name, name === "rl" ? 1 : 2]),
  );
  const report = JSON.parse(readFileSync(join(out, "report.json"), "utf8"));
  for (const model of ["base", "sft", "rl"])
    for (const promise of ["well_formed", "exact_tool_call", "final_answer"])
      assert.equal(typeof report.evals[model][promise].value, "number", `${model} ${promise}`);
  assert.equal(typeof report.stages.reward.accuracy, "number");
  assert.equal(typeof report.stages.rl.pass1_after.value, "number");
  for (const { data } of record?.stages ?? []) assert.ok(data.length > 0);
  for (const file of ["report.md", "report.html"]) assert.ok(existsSync(join(out, file)));
});

test("what is done is not done again; from repeats the rest", async () => {
  const config = configOf();
  const before = timeOf("sft");
  const again = listening();
  await grow(config, again, never, smallPlan(config));
  assert.deepEqual(announced(again), []);
  const repeated = listening();
  await grow(configOf({ from: "rl" }), repeated, never, smallPlan(config));
  assert.deepEqual(announced(repeated), ["rl", "eval"]);
  assert.equal(timeOf("sft"), before);
});

test("another preset or seed does not mix with what is there", async () => {
  for (const changed of [{ seed: 2 }, { preset: "laptop" }, { data: "elsewhere" }])
    await assert.rejects(grow(configOf(changed), listening(), never, smallPlan(configOf())), {
      code: "CONFIG",
      message: /must go on as it began, got (seed|preset|data) /,
    });
});

test("goes on from a base model that nutshell pretrain made in its folder", async () => {
  const config = configOf({ out: join(root, "begun") });
  const plan = smallPlan(config);
  await pretrain(plan.pretrain, listening(), never);
  const base = statSync(join(plan.pretrain.out, "step-00000002")).mtimeMs;
  const stop = new AbortController();
  const talk = listening();
  const say = (text: string): void => {
    talk.say(text);
    if (text.includes("2/5 sft")) stop.abort();
  };
  await grow(config, { ...talk, say }, stop.signal, plan);
  assert.deepEqual(announced(talk), ["pretrain", "sft"]);
  assert.ok(talk.said.some((text) => text.includes("after step 2 of 2")));
  assert.equal(statSync(join(plan.pretrain.out, "step-00000002")).mtimeMs, base);
  const { pretrain: found } = (await readState(config)).steps;
  assert.equal(found?.result?.step, 2);
});

test("fresh removes what was grown and nothing else", async () => {
  await removeGrown(out);
  assert.ok(existsSync(out));
  assert.deepEqual(
    ["1-pretrain", "2-sft", "grow.json", "report.json"].filter((name) =>
      existsSync(join(out, name)),
    ),
    [],
  );
});
