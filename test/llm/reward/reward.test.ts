/**
 * Stage 3 on a small real model: it learns what is easy, what it leaves can be scored with, and a
 * run that was stopped ends with the bits of one that was left alone.
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { renderConversation } from "../../../src/llm/chat/template.ts";
import { openRewardModel } from "../../../src/llm/inference/open-reward-model.node.ts";
import { latestCheckpoint } from "../../../src/llm/model/run-folder.node.ts";
import { trainReward } from "../../../src/llm/reward/reward.node.ts";
import { splitOfMessages } from "../../../src/llm/tasks/split.ts";
import { saveSpeakingModel } from "../inference/speaking-model.ts";
import {
  easyRanking,
  listen,
  saveSmallModel,
  smallReward,
  writeEasyRankings,
} from "./small-model.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-reward-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
const model = await saveSmallModel(at("base"));
const data = writeEasyRankings(at("easy.jsonl"), 240);
const never = new AbortController().signal;

test("an easy preference is learned in seconds, and not by length", async () => {
  const { talk, said } = listen();
  const asked = smallReward({ model, data, out: at("easy"), evalEvery: 30 });
  const result = await trainReward(asked, talk, never);
  assert.ok((result.accuracy ?? 0) >= 0.9, `accuracy ${result.accuracy}`);
  assert.ok((result.accuracy_low ?? 1) < (result.accuracy ?? 0));
  assert.equal(result.train_prompts + result.held_prompts, 240);
  assert.ok(said.some((line) => line.includes("held-out pairs ranked right")));
  const folderOf = await latestCheckpoint(at("easy"));
  for (const name of ["card.md", "metrics.jsonl", "reward.json", "tokenizer.json"])
    assert.ok(existsSync(`${folderOf}/${name}`), name);
  for (const name of ["card.md", "metrics.jsonl", "reward.svg"])
    assert.ok(existsSync(at(`easy/${name}`)), name);
  assert.match(readFileSync(at("easy/card.md"), "utf8"), /easy \| \d+ \| \d+ /);
});

test("scored from its folder, held-out best answers have mean 0 and spread 1", async () => {
  // In f32, as the run measured.
  const backend = createReferenceBackend();
  const judge = await openRewardModel(at("easy"), backend);
  const held = Array.from({ length: 240 }, (_, i) => easyRanking(i)).filter(({ prompt }) => {
    return splitOfMessages([{ role: "user", content: prompt }]) === "test";
  });
  const score = (which: number) =>
    judge.score(
      held.map(({ prompt, responses }) => {
        const answer = { role: "assistant", content: responses[which] as string } as const;
        const messages = [{ role: "user", content: prompt } as const, answer];
        return renderConversation({ messages }, judge.tokenizer).ids;
      }),
    );
  const mean = (x: Float32Array): number => x.reduce((sum, r) => sum + r, 0) / x.length;
  const [worst, best, middle] = [await score(0), await score(1), await score(2)];
  await judge.dispose();
  backend.dispose();
  const std = Math.sqrt(mean(best.map((reward) => (reward - mean(best)) ** 2)));
  assert.ok(Math.abs(mean(best)) < 1e-3 && Math.abs(std - 1) < 1e-3, `${mean(best)} ${std}`);
  assert.ok(mean(middle) < mean(best) && mean(worst) < mean(middle));
});

test("stopped twice and resumed, a run ends with the bits of one that was left alone", async () => {
  const asked = {
    model,
    data,
    steps: 12,
    gradAccumSteps: 2,
    optimizer: "muon",
    evalEvery: 5,
  } as const;
  const alone = await trainReward(
    smallReward({ ...asked, out: at("alone") }),
    listen().talk,
    never,
  );
  assert.equal(alone.stopped, false);
  let steps = 0;
  for (const most of [4, 5, 99]) {
    const stop = new AbortController();
    let left = most;
    const { talk } = listen();
    const count = (line: string): void => {
      if (line.startsWith("step ") && --left === 0) stop.abort();
    };
    const config = smallReward({ ...asked, out: at("stopped"), logEvery: 1 });
    const result = await trainReward(config, { ...talk, say: count }, stop.signal);
    assert.ok(result.step > steps, `${result.step} steps after ${steps}`);
    steps = result.step;
  }
  assert.equal(steps, 12);
  for (const name of ["model.safetensors", "training/optimizer.safetensors", "reward.json"])
    assert.ok(readLast("alone", name).equals(readLast("stopped", name)), name);
  assert.deepEqual(withoutTimes("alone"), withoutTimes("stopped"));
});

function readLast(run: string, name: string): Buffer {
  return readFileSync(join(at(run), "step-00000012", name));
}

function withoutTimes(run: string): object[] {
  const lines = readLast(run, "metrics.jsonl").toString("utf8").trimEnd().split("\n");
  return lines.map((line) => ({ ...JSON.parse(line), ms: 0 }));
}

test("another configuration, other data, or the model's own folder is refused", async () => {
  const asked = {
    model,
    data,
    steps: 12,
    gradAccumSteps: 2,
    optimizer: "muon",
    evalEvery: 5,
  } as const;
  const run = (more: object) =>
    trainReward(smallReward({ ...asked, out: at("alone"), ...more }), listen().talk, never);
  await assert.rejects(run({ lr: 1 }), { code: "CONFIG", message: /lr 1 where it has/ });
  const other = writeEasyRankings(at("other.jsonl"), 200);
  await assert.rejects(run({ data: other }), { code: "DATA", message: /other text/ });
  await assert.rejects(run({ out: at("base") }), { code: "CHECKPOINT" });
});

test("what is wrong with model and data is said in one line", async () => {
  const run = (more: object) =>
    trainReward(smallReward({ model, data, out: at("none"), ...more }), listen().talk, never);
  await assert.rejects(run({ model: undefined }), { code: "CONFIG", message: /--model/ });
  await assert.rejects(run({ data: at("absent.jsonl") }), {
    code: "DATA",
    message: /must be a file or folder, got none/,
  });
  await assert.rejects(run({ batchSize: 3 }), { code: "CONFIG", message: /--max-responses/ });
  const noFit = { code: "CONFIG", message: /schedule: .* 2 \+ 9 of 10 steps/ };
  await assert.rejects(run({ steps: 10, warmup: 2, warmdown: 9 }), noFit);
  await assert.rejects(run({ sequenceLen: 49 }), { code: "CONFIG", message: /sequenceLen/ });
  writeFileSync(at("alike.jsonl"), '{"prompt":"x","responses":["a","b"],"ranking":[[0,1]]}\n');
  await assert.rejects(run({ data: at("alike.jsonl") }), { code: "DATA", message: /got none/ });
  const mute = await saveSpeakingModel(at("mute"), "abc");
  await assert.rejects(run({ model: mute }), { code: "TOKENIZER" });
});
