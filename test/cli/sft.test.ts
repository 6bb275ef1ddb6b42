/** `nutshell sft inspect`: what is learned of a conversation, for eyes and for programs. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { dispatch } from "../../src/cli/dispatch.ts";
import { saveSmallModel, writeQuestions } from "../llm/sft/small-model.ts";
import { RecordedStreams } from "./recorded-streams.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-sft-inspect-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const data = writeQuestions(join(folder, "talk.jsonl"), [
  ["hi", "yo"],
  ["how", "so ".repeat(30)],
]);

async function inspect(...args: readonly string[]): Promise<RecordedStreams> {
  const streams = new RecordedStreams();
  assert.equal(await dispatch(["sft", "inspect", ...args], streams), 0, streams.err);
  return streams;
}

test("trained tokens stand between brackets, each conversation with its counts", async () => {
  const { out } = await inspect("--data", data, "--no-color");
  assert.match(out, /^talk 0 \| 9 tokens, 3 learned \| (trained|held out)$/m);
  assert.match(
    out,
    /<\|user_start\|>hi<\|user_end\|>\n<\|assistant_start\|>⟦yo<\|assistant_end\|>⟧/,
  );
});

test("with a model its tokenizer and its context say what training would do", async () => {
  const model = await saveSmallModel(join(folder, "base"));
  const { out } = await inspect("--data", data, "--model", model, "--no-color");
  assert.match(out, /^talk 1 \| \d+ tokens, \d+ learned \| left out: longer than a row$/m);
});

test("as JSON, one conversation a line, of one task", async () => {
  const { out } = await inspect("--task", "calculator", "--n", "2", "--json");
  const rows = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.equal(rows.length, 2);
  for (const { source, ids, mask, messages } of rows) {
    assert.equal(source, "calculator");
    assert.equal(ids.length, mask.length);
    assert.deepEqual(
      messages.map(({ role }: { role: string }) => role),
      ["user", "assistant", "tool", "assistant"],
    );
  }
});

test("colours on a terminal: learned text green, and not without one", async () => {
  const shown = async (isTTY: boolean): Promise<string> => {
    const streams = new RecordedStreams({ isTTY });
    assert.equal(await dispatch(["sft", "inspect", "--data", data, "--n", "1"], streams), 0);
    return streams.out;
  };
  assert.ok((await shown(true)).includes("\x1b[32myo\x1b[0m"));
  assert.ok(!(await shown(false)).includes("\x1b["));
});
