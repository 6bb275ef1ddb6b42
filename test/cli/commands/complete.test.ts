/** `nutshell complete` through the real command line, on checkpoints made here. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { dispatch } from "../../../src/cli/dispatch.ts";
import { saveSpeakingModel } from "../../llm/inference/speaking-model.ts";
import { RecordedStreams } from "../recorded-streams.ts";

const root = await mkdtemp(join(tmpdir(), "nutshell-complete-"));
after(() => rmSync(root, { recursive: true, force: true }));
const run = join(root, "run");
const TEXT = "Hé 日🌍.";
const folder = await saveSpeakingModel(run, TEXT);

async function complete(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const streams = new RecordedStreams();
  const code = await dispatch(["complete", "--backend", "reference", ...words], streams);
  return { code, out: streams.out, err: streams.err };
}

test("text on stdout, model and times on stderr", async () => {
  const { code, out, err } = await complete("--model", run);
  assert.equal(code, 0);
  assert.equal(out, `${TEXT}\n`);
  const [about = "", times = "", ...more] = err.split("\n");
  assert.ok(about.startsWith(`${folder} | 140k parameters, depth 1, 260 wide`), about);
  assert.match(times, /^seed 1 \| 1 \+ 12 tokens \| stop \| first after \d+ ms \| then .* tok\/s$/);
  assert.deepEqual(more, [""]);
});

test("--json is one object; text i of --n has the seed plus i", async () => {
  const { code, out } = await complete(
    ...["--model", folder, "--json", "--n", "2", "--seed", "4294967295"],
    ...["--prompt", "日", "--max-tokens", "3", "--top-k", "5", "--top-p", "1"],
  );
  assert.equal(code, 0);
  const result = JSON.parse(out);
  assert.equal(out, `${JSON.stringify(result)}\n`);
  const { completions, ...head } = result;
  assert.deepEqual(head, { model: folder, backend: "reference", precision: "bf16", prompt: "日" });
  assert.deepEqual(
    completions.map(({ text, tokens, finishReason, seed }: Record<string, unknown>) => ({
      ...{ text, tokens, finishReason, seed },
    })),
    [4294967295, 0].map((seed) => ({ text: "\uFFFD", tokens: 3, finishReason: "length", seed })),
  );
});

test("the same seed gives the same text, another seed another", async () => {
  const hot = (seed: string) =>
    complete("--model", run, "--temperature", "9", "--top-p", "auto", "--seed", seed);
  const [a, b, c] = [await hot("7"), await hot("7"), await hot("8")];
  assert.equal(a.out, b.out);
  assert.notEqual(a.out, c.out);
  assert.ok(a.out.isWellFormed());
});

const usage: readonly [string[], RegExp][] = [
  [[], /^USAGE complete: needs --model, got none\. /],
  [["--modle", run], /^USAGE --modle: unknown flag\. Did you mean "--model"\?/],
  [["--model", run, "--top-p", "0"], /^USAGE --top-p must be above 0, at most 1, got 0\. /],
  [["--model", run, "--temperature", "-1"], /^USAGE --temperature must be between 0 and 100/],
  [["--model", run, "--seed", "-1"], /^USAGE --seed must be between 0 and 4294967295, got -1\. /],
  [["--model", run, "a prompt"], /^USAGE complete: takes no word "a prompt"\. /],
];

const failures: readonly [string[], RegExp][] = [
  [["--model", join(root, "none")], /^CHECKPOINT .*none: must hold config\.json or step-…/],
  [["--model", run, "--context", "3001"], /^CONFIG generate: contextLen .*from 1 to 3000/],
  [
    ["--model", run, "--context", "8", "--prompt", "a long prompt"],
    /^CONFIG generate: prompt must leave room in a context of 8 tokens, got 14\. Shorten/,
  ],
];

for (const [expected, cases] of [[2, usage] as const, [1, failures] as const])
  for (const [words, message] of cases)
    test(`refused in one line: complete ${words.filter((word) => !word.startsWith("/")).join(" ")}`, async () => {
      const { code, out, err } = await complete(...words);
      assert.equal(code, expected);
      assert.equal(out, "");
      const lines = err.split("\n").filter((line) => !line.includes(" | "));
      assert.match(lines[0] as string, message);
      assert.equal(lines.length, 2, err);
    });

async function damagedRun(t: TestContext, damage: (folder: string) => Promise<void>) {
  const damaged = await mkdtemp(join(root, "damaged-"));
  t.after(() => rm(damaged, { recursive: true }));
  await damage(await saveSpeakingModel(damaged, TEXT));
  return complete("--model", damaged);
}

test("a torn checkpoint is refused by the name of the file", async (t) => {
  const cut = (model: string) => truncate(join(model, "model.safetensors"), 5000);
  const { code, err } = await damagedRun(t, cut);
  assert.equal(code, 1);
  assert.match(err, /^CHECKPOINT .*model\.safetensors.*\n$/);
});

test("a checkpoint without a tokenizer is refused", async (t) => {
  const { code, err } = await damagedRun(t, async (model) => {
    await rm(join(model, "tokenizer.json"));
    await rm(join(model, "manifest.json")); // a folder from elsewhere, whose files are not listed
  });
  assert.equal(code, 1);
  assert.match(err, /^CHECKPOINT .*tokenizer\.json: file must exist, got none\. .*\n$/);
});

test("Ctrl-C ends the stream with a whole line and 130", async () => {
  const endless = await saveSpeakingModel(join(root, "endless"), "é日", true);
  const main = new URL("../../../src/cli/main.ts", import.meta.url).pathname;
  const words = ["complete", "--model", endless, "--backend", "reference", "--max-tokens", "2900"];
  const child = spawn(process.execPath, [main, ...words]);
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const pressed = out.length > 20;
    out += text;
    if (!pressed && out.length > 20) child.kill("SIGINT"); // once: one press of Ctrl-C
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const [code] = await once(child, "close");
  assert.equal(code, 130);
  assert.match(out, /^(é日){5,}é?\uFFFD?\n$/);
  assert.match(err, /stopping at the next safe point/);
  assert.match(err, /seed 1 \| 1 \+ \d{1,4} tokens \| aborted \| /);
});
