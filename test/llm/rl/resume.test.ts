/**
 * A run that is stopped and goes on is the run that never stopped: same weights, optimizer, value
 * head and numbers, bit for bit. On the C backend where there is one.
 */
import assert from "node:assert/strict";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { RlConfig } from "../../../src/llm/rl/config.ts";
import type { RlResult } from "../../../src/llm/rl/result.ts";
import { reinforce } from "../../../src/llm/rl/rl.node.ts";
import type { Talk } from "../../../src/llm/run/talk.ts";
import { bandit, saveSmallModel, silent, smallRl } from "./small-model.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-rl-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const model = await saveSmallModel(join(folder, "start"));

const never = new AbortController().signal;
const run = (config: RlConfig, talk = silent, signal = never): Promise<RlResult> =>
  reinforce(config, talk, signal, [bandit]);

/** Ctrl-C as soon as a line says that `step` is done. */
async function runUntil(config: RlConfig, step: number): Promise<RlResult> {
  const controller = new AbortController();
  const stopAt: Talk = {
    say: (text) => void (text.startsWith(`step ${step}/`) && controller.abort()),
    status: () => {},
  };
  return run(config, stopAt, controller.signal);
}

const TIMES = /"(waiting|generating|scoring|learning)":[\d.e-]+,?/g;

function contentOf(out: string): Record<string, string> {
  const files = globSync("step-*/{model.safetensors,training/optimizer.safetensors}", { cwd: out });
  const named = files.map((name) => [name, readFileSync(join(out, name)).toString("base64")]);
  const metrics = readFileSync(join(out, "metrics.jsonl"), "utf8").replaceAll(TIMES, "");
  return { ...Object.fromEntries(named), metrics };
}

const cases: readonly (readonly [string, Partial<RlConfig>])[] = [
  ["grpo", { algorithm: "grpo", kl: 0.05, klTarget: 0.5, backend: "auto" }],
  ["ppo", { algorithm: "ppo", kl: 0.05, epochs: 2, minibatches: 2 }],
  ["dpo", { algorithm: "dpo" }],
];

for (const [name, values] of cases)
  test(`${name}: stopped and resumed is never stopped`, async () => {
    const common = { model, steps: 5, maxTokens: 4, sequenceLen: 16, evalEvery: 2, ...values };
    const whole = smallRl({ ...common, out: join(folder, `${name}-whole`) });
    const cut = smallRl({ ...common, out: join(folder, `${name}-cut`) });
    await run(whole);
    const stopped = await runUntil(cut, 3);
    assert.deepEqual([stopped.stopped, stopped.step], [true, 3]);
    const done = await run(cut);
    assert.deepEqual([done.stopped, done.step], [false, 5]);
    assert.deepEqual(contentOf(cut.out), contentOf(whole.out));
  });

test("every step draws anew, even while the weights stand still", async () => {
  const values = { algorithm: "star", accept: -1, lr: 1e-12, steps: 3, maxTokens: 4 } as const;
  const config = smallRl({ model, out: join(folder, "anew"), ...values });
  await run(config);
  const lines = readFileSync(join(config.out, "metrics.jsonl"), "utf8").trimEnd().split("\n");
  const batches = lines.flatMap((line) => JSON.parse(line).batch ?? []);
  assert.equal(new Set(batches).size, 3);
});

test("a resumed run keeps its configuration and its start model", async () => {
  const start = join(folder, "other");
  await saveSmallModel(start);
  const config = smallRl({ model: start, out: join(folder, "kept"), steps: 1 });
  await run(config);
  await assert.rejects(run({ ...config, clipRatio: 0.3 }), {
    code: "CONFIG",
    message: /must keep its configuration, got clipRatio 0\.3 where it has 0\.2/,
  });
  await saveSmallModel(start, 2);
  await assert.rejects(run(config), { code: "CHECKPOINT", message: /begin from the model of/ });
});

test("data that is not there is refused, not passed over", async () => {
  for (const algorithm of ["dpo", "grpo"] as const) {
    const data = join(folder, "rankigns.jsonl");
    const config = smallRl({ model, out: join(folder, "lost"), algorithm, data });
    await assert.rejects(run(config), {
      code: "DATA",
      message: /rankigns\.jsonl: --data must name a rankings file or a folder/,
    });
  }
});

test("what cannot be asked is refused before anything is compiled", async () => {
  const refused: readonly (readonly [Partial<RlConfig>, RegExp])[] = [
    [{ algorithm: "grpo", samplesPerPrompt: 1 }, /grpo must have 2 samples of a prompt/],
    [{ reward: "model" }, /--reward model must have a --reward-model, got none/],
    [{ kl: 0, klTarget: 1 }, /KL target must have a weight above 0/],
  ];
  for (const [values, message] of refused) {
    const config = smallRl({ model, out: join(folder, "refused"), ...values });
    await assert.rejects(run(config), { code: "CONFIG", message });
  }
  const config = smallRl({ model, out: join(folder, "refused"), task: "stpes" });
  await assert.rejects(reinforce(config, silent, never), {
    code: "CONFIG",
    message: /no task named stpes to train on\. Did you mean "steps"\?/,
  });
  const badDigits = (): RlConfig => smallRl({ model, digits: "3-1" });
  assert.throws(badDigits, { code: "CONFIG", message: /digits must be two digits, as in 1-2/ });
  const missing = smallRl({ out: join(folder, "refused") });
  await assert.rejects(run(missing), { code: "USAGE", message: /needs a chat model/ });
});
