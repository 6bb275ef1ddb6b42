/** `nutshell rl` through the real command line: a run of a step, pairs from a file, wrong words. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { dispatch } from "../../src/cli/dispatch.ts";
import { openModel } from "../../src/llm/run/open-model.node.ts";
import { saveSmallModel } from "../llm/rl/small-model.ts";
import { RecordedStreams } from "./recorded-streams.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-rl-cli-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const model = await saveSmallModel(join(folder, "start"), 1, { sequenceLen: 96 });

async function rl(
  code: number,
  out: string,
  ...flags: readonly string[]
): Promise<RecordedStreams> {
  const streams = new RecordedStreams();
  const common = [
    ...["--model", model, "--out", join(folder, out), "--backend", "reference"],
    ...["--steps", "1", "--sequence-len", "96", "--max-tokens", "3", "--eval-problems", "2"],
    ...["--prompts-per-step", "2", "--samples-per-prompt", "2", "--slots", "4", "--batch", "4"],
  ];
  assert.equal(await dispatch(["rl", ...common, ...flags], streams), code, streams.err);
  return streams;
}

test("a run leaves a model that chats, a card, a curve and its numbers; then it has ended", async () => {
  const { out, err } = await rl(0, "run", "--json", "--task", "direct", "--algorithm", "ppo");
  const result = JSON.parse(out);
  assert.deepEqual([result.algorithm, result.step, result.rollouts], ["ppo", 1, 4]);
  assert.equal(result.passAfter.n, 2);
  assert.match(err, /^step 1\/1 \| reward [\d.]+ \| kl /m);
  assert.match(err, /^warning: every reward is 0/m);
  for (const name of ["card.md", "reward.svg", "metrics.jsonl", "step-00000001/card.md"])
    assert.ok(existsSync(join(folder, "run", name)), name);
  const config = readFileSync(join(folder, "run/step-00000001/tokenizer_config.json"), "utf8");
  assert.match(JSON.parse(config).chat_template, /assistant_start/);
  const { checkpoint } = await openModel(join(folder, "run"));
  assert.equal(checkpoint.config.sequenceLen, 96);
  const again = JSON.parse(
    (await rl(0, "run", "--json", "--task", "direct", "--algorithm", "ppo")).out,
  );
  assert.deepEqual(again.passAfter, result.passAfter);
});

test("dpo learns from a file of rankings and counts what it leaves out", async () => {
  const rows = Array.from({ length: 12 }, (_, i) => ({
    prompt: `q${i}`,
    responses: ["good", i === 0 ? "so ".repeat(60) : "bad"],
    ranking: [0, 1],
  }));
  const data = join(folder, "rankings.jsonl");
  writeFileSync(data, `${rows.map((row) => JSON.stringify(row)).join("\n")}\n`);
  const { err, out } = await rl(0, "dpo", "--algorithm", "dpo", "--data", data, "--json");
  assert.match(
    err,
    /^\d+ pairs from .*rankings\.jsonl: 12 rows, \d+ kept, \d+ dropped \(.*too long/m,
  );
  const result = JSON.parse(out);
  assert.deepEqual([result.updates, result.rollouts], [1, 0]);
  const refused = await rl(1, "refused", "--data", data);
  assert.match(refused.err, /^CONFIG rl: a rankings file must go with dpo, got grpo\./m);
});

test("wrong words are refused with what would be right", async () => {
  const { err } = await rl(2, "wrong", "--algorithm", "gppo");
  assert.match(err, /^USAGE --algorithm must be one of ppo, grpo, rloo, reinforce, dpo, /m);
});
