/** `nutshell eval` through the real command line, on models whose answers are known. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { dispatch } from "../../../src/cli/dispatch.ts";
import { saveChattingModel } from "../../llm/chat/chatting-model.ts";
import { setsAboutAb, writeSets } from "../../llm/eval/made-sets.ts";
import { saveSpeakingModel } from "../../llm/inference/speaking-model.ts";
import { RecordedStreams } from "../recorded-streams.ts";

const root = mkdtempSync(join(tmpdir(), "nutshell-eval-"));
after(() => rmSync(root, { recursive: true, force: true }));
const data = join(root, "data");
await writeSets(data, setsAboutAb);
const speaking = await saveSpeakingModel(join(root, "ab"), " ab");
const chatting = await saveChattingModel(join(root, "clock"));

async function evaluate(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const streams = new RecordedStreams();
  const code = await dispatch(["eval", "--backend", "reference", ...words], streams);
  return { code, out: streams.out, err: streams.err };
}

test("a table on stdout, a line a row while it is measured on stderr", async () => {
  const { code, out, err } = await evaluate("--model", speaking, "--suite", "core", "--data", data);
  assert.equal(code, 0);
  const lines = out.split("\n");
  assert.equal(lines[0], "core");
  assert.match(lines[1] ?? "", /^ {2} +value +95 % interval +n +chance$/);
  assert.match(lines[2] ?? "", /^ {2}arc_easy +0\.750 +\[0\.301, 0\.954\] +4 +0\.438$/);
  assert.ok(lines.some((line) => /openbook_qa +1\.000 .* 0\.500 +1 too long$/.test(line)));
  assert.ok(lines.includes(`  core: piqa: no eval/core/piqa.jsonl.gz in ${data}`));
  assert.match(err, /^core \| arc_easy \| 0\.750 \[0\.301, 0\.954\] \| n 4 \| chance 0\.438$/m);
});

test("--json is the report, alone on stdout", async () => {
  const { code, out } = await evaluate(
    ...["--model", chatting, "--suite", "talk", "--form", "chat", "--json", "--data", root],
  );
  assert.equal(code, 0);
  const report = JSON.parse(out);
  assert.equal(out, `${JSON.stringify(report)}\n`);
  assert.deepEqual([report.model, report.form, report.suites], [chatting, "chat", ["talk"]]);
  const sum = report.replies.find(({ name }: { name: string }) => name === "2 + 2");
  assert.match(sum.reply, /^\[clock \{\}\]\n→ .+\nDone\.$/);
});

test("replies are readable in the table", async () => {
  const { out } = await evaluate(
    ...["--model", chatting, "--suite", "talk", "--form", "chat", "--data", root],
  );
  assert.match(out, /^ {2}2 \+ 2 \(wrong\), wanted: 4\n {2}> What is 2 \+ 2\?\n {4}\[clock/m);
});

const refused: readonly [string[], number, RegExp][] = [
  [["--model", "x", "--max-rows", "0"], 2, /^USAGE --max-rows must be 1 or more, got 0\./],
  [["--model", join(root, "no")], 1, /^CHECKPOINT .*must hold config\.json or step-…/],
  [["--model", speaking, "--suite", "tlak"], 1, /^CONFIG eval: suite must name some of/],
  [["--model", speaking, "--form", "chat"], 1, /^TOKENIZER .*must hold every mark/],
];

for (const [words, code, message] of refused)
  test(`refused with ${code}: ${words.slice(2).join(" ")}`, async () => {
    const found = await evaluate(...words);
    assert.equal(found.code, code);
    assert.match(found.err, message);
    assert.equal(found.out, "");
  });
