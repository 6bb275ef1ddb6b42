/** Everything that a user can get wrong is one line: what, where, and the fix; nothing is silent. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { dispatch } from "../../../src/cli/dispatch.ts";
import { fromCharacters } from "../../../src/llm/tokenizer/character.ts";
import { RecordedStreams } from "../../cli/recorded-streams.ts";
import { saveSmallModel, writeQuestions } from "./small-model.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-sft-bad-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

const model = await saveSmallModel(at("base"));
const other = await saveSmallModel(at("other"), 2);
const plain = await saveSmallModel(at("plain"), 1, fromCharacters(["a", "b"]));
const one = writeQuestions(at("one.jsonl"), [["a", "b"]]);
const two = writeQuestions(at("two.jsonl"), [["a", "c"]]);
const long = "word ".repeat(40);
const mixed = writeQuestions(at("mixed.jsonl"), [
  ["a", "b"],
  ["long", long],
]);
const tooLong = writeQuestions(at("long.jsonl"), [["long", long]]);
const file = (name: string, text: string): string => {
  writeFileSync(at(name), text);
  return at(name);
};
mkdirSync(at("empty"));

const small = [
  ...["--backend", "reference", "--precision", "f32", "--steps", "1", "--batch", "1"],
  ...["--eval-conversations", "1", "--sample-every", "9", "--warmup", "0"],
];

async function run(
  ...args: readonly string[]
): Promise<{ code: number; last: string; all: string }> {
  const streams = new RecordedStreams();
  const code = await dispatch(["sft", ...args, ...small], streams);
  const all = streams.err + streams.out;
  return { code, all, last: streams.err.trimEnd().split("\n").at(-1) ?? "" };
}

await run("--model", model, "--data", one, "--out", at("done"));

interface BadInput {
  readonly name: string;
  readonly args: readonly string[];
  readonly code?: 2;
  readonly says: RegExp;
}

const fresh = ["--out", at("out")];
const rows: readonly BadInput[] = [
  {
    name: "no model there",
    args: ["--model", at("none"), "--data", one, ...fresh],
    says: /^CHECKPOINT .*none/,
  },
  {
    name: "a missing file",
    args: ["--model", model, "--data", at("nowhere.jsonl"), ...fresh],
    says: /^DATA .*nowhere\.jsonl: conversations must be a file or folder, got none\. Check --data\.$/,
  },
  {
    name: "a folder without conversations",
    args: ["--model", model, "--data", at("empty"), ...fresh],
    says: /^DATA .*empty: a folder of conversations must hold \.jsonl files, got none/,
  },
  {
    name: "rows of another shape",
    args: ["--model", model, "--data", file("shape.jsonl", '{"text":"a"}\n'), ...fresh],
    says: /^DATA .*shape\.jsonl:1: a row must have "messages".*got keys text/,
  },
  {
    name: "no conversation that fits",
    args: ["--model", model, "--data", tooLong, ...fresh],
    says: /^DATA sft: .*got none \(long: 1 rows, 1 longer than a row\).*--sequence-len/,
  },
  {
    name: "an empty file",
    args: ["--model", model, "--data", file("empty.jsonl", "\n"), ...fresh],
    says: /^DATA sft: there must be a conversation to learn from, got none \(empty: 0 rows\)/,
  },
  {
    name: "an unknown source in the mixture",
    args: ["--model", model, "--data", "builtin", "--mixture", "calculatr=1", ...fresh],
    says: /^CONFIG sft: .*got "calculatr"\. .*calculator/,
  },
  {
    name: "a weight that is none",
    args: ["--model", model, "--data", "builtin", "--mixture", "clock=much", ...fresh],
    says: /^CONFIG sft: a weight .* got "clock=much"/,
  },
  {
    name: "rows longer than the context",
    args: ["--model", model, "--data", one, "--sequence-len", "65", ...fresh],
    says: /^CONFIG sft: rows must fit the model's context of 64 tokens, got 65/,
  },
  {
    name: "an unknown matrix for an update",
    args: ["--model", model, "--data", one, "--lora-rank", "2", "--lora-targets", "q,x", ...fresh],
    says: /^CONFIG lora: targets must be of q, k, .* got "x"/,
  },
  {
    name: "another rate for a run that is there",
    args: ["--model", model, "--data", one, "--lr", "0.5", "--out", at("done")],
    says: /^CONFIG .*done: a resumed run must keep its configuration, got lr 0\.5 .*--fresh/,
  },
  {
    name: "other data for a run that is there",
    args: ["--model", model, "--data", two, "--out", at("done")],
    says: /^DATA .*done: a resumed run must read the text that it began with/,
  },
  {
    name: "another model for a run that is there",
    args: ["--model", other, "--data", one, "--out", at("done")],
    says: /^CHECKPOINT .*done: a resumed run must begin from the model of before.*--fresh/,
  },
  {
    name: "an unknown action",
    args: ["inspct"],
    code: 2,
    says: /^USAGE sft: no action "inspct"\. .*inspect/,
  },
];

for (const { name, args, code = 1, says } of rows)
  test(`${name}: one line`, async () => {
    const found = await run(...args);
    assert.equal(found.code, code, found.all);
    assert.match(found.last, says);
    assert.doesNotMatch(found.all, /bug in nutshell/);
  });

test("a vocabulary of characters is refused before anything is computed", async () => {
  const found = await run("--model", plain, "--data", one, ...fresh);
  assert.match(found.last, /^TOKENIZER .*tokenizer\.json: .*got one of characters/);
});

test("what is left out is counted under its reason, and training goes on without NaN", async () => {
  const { code, all } = await run("--model", model, "--data", mixed, "--out", at("mixed"));
  assert.equal(code, 0, all);
  assert.match(all, /mixed +1 .* 1 longer than a row/);
  assert.doesNotMatch(all, /NaN/);
});
