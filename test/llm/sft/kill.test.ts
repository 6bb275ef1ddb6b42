/** `nutshell sft` as a process of its own, killed at a step and during what may be a save. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { latestGoodCheckpoint } from "../../../src/llm/model/run-folder.node.ts";
import { saveSmallModel } from "./small-model.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-sft-kill-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const main = new URL("../../../src/cli/main.ts", import.meta.url).pathname;
const model = await saveSmallModel(join(folder, "base"));

const args = [
  ...["--model", model, "--data", "builtin", "--mixture", "smalltalk,direct", "--threads", "1"],
  ...["--conversations", "60", "--batch", "2", "--grad-accum-steps", "2", "--steps", "30"],
  ...["--log-every", "1", "--save-every", "4", "--eval-every", "10", "--sample-every", "10"],
  ...["--eval-conversations", "2", "--optimizer", "muon", "--warmup", "2"],
];

/** Runs to its end, or kills it as soon as a line matches. */
async function start(
  name: string,
  killAt?: RegExp,
): Promise<{ signal: string | null; text: string }> {
  const child = spawn(process.execPath, [main, "sft", ...args, "--out", join(folder, name)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      text += chunk;
      if (killAt?.test(text)) child.kill("SIGKILL");
    });
  const signal = await new Promise<string | null>((resolve) =>
    child.on("close", (_, ended) => resolve(ended)),
  );
  return { signal, text };
}

async function outcomeOf(name: string): Promise<unknown> {
  const { folder: checkpoint } = await latestGoodCheckpoint(join(folder, name));
  const read = (file: string): Buffer => readFileSync(join(checkpoint as string, file));
  const digest = (file: string): string => createHash("sha256").update(read(file)).digest("hex");
  const metrics = readFileSync(join(folder, name, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n");
  const { data, step } = JSON.parse(read("training/state.json").toString());
  return {
    weights: digest("model.safetensors"),
    optimizer: digest("training/optimizer.safetensors"),
    state: { step, dataHash: data.dataHash, spikes: data.spikes },
    metrics: metrics.map((line) => ({ ...JSON.parse(line), ms: undefined })),
  };
}

test("killed twice, a run ends with the bits of one that was left alone", async () => {
  const alone = await start("alone");
  assert.equal(alone.signal, null, alone.text);
  const first = await start("killed", /^step 00007\//m);
  const second = await start("killed", /^step 000(16|17|18|19|20)\//m);
  assert.deepEqual([first.signal, second.signal], ["SIGKILL", "SIGKILL"]);
  const last = await start("killed");
  assert.equal(last.signal, null, last.text);
  for (const { text } of [second, last])
    assert.match(text, /resuming .* after step (4|8|12|16|20|24) of 30/);
  assert.deepEqual(await outcomeOf("killed"), await outcomeOf("alone"));
});
