/** Everything that a user can get wrong is one line: what, where, and the fix. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { dispatch } from "../../../src/cli/dispatch.ts";
import { RecordedStreams } from "../../cli/recorded-streams.ts";
import { writeCorpus } from "./child-run.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-bad-input-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const corpus = writeCorpus(join(folder, "corpus"), 60);
const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const tiny = [
  ...["--backend", "reference", "--vocab-size", "300", "--depth", "1", "--sequence-len", "16"],
  ...["--batch", "1", "--grad-accum-steps", "1", "--steps", "2", "--eval-batches", "1"],
  ...["--clean", "off"],
];

async function pretrain(...args: readonly string[]): Promise<{ code: number; last: string }> {
  const streams = new RecordedStreams();
  const code = await dispatch(
    ["pretrain", "--out", join(folder, "out"), ...tiny, ...args],
    streams,
  );
  return { code, last: streams.err.trimEnd().split("\n").at(-1) ?? "" };
}

interface BadInput {
  readonly name: string;
  readonly args: readonly string[];
  readonly code: 1 | 2;
  readonly says: RegExp;
}

const rows: readonly BadInput[] = [
  {
    name: "an empty file",
    args: ["--data", file("empty.txt", "")],
    code: 1,
    says: /^DATA .*empty\.txt: .*got 0 bytes\. Fill it/,
  },
  {
    name: "a binary file",
    args: ["--data", file("binary.txt", Uint8Array.of(80, 75, 3, 4, 0, 0))],
    code: 1,
    says: /^DATA .*binary\.txt: a source must be text, got a zip archive\. Unpack it/,
  },
  {
    name: "invalid UTF-8",
    args: ["--data", file("latin.txt", Uint8Array.of(99, 97, 102, 0xe9, 32, 97))],
    code: 1,
    says: /^DATA .*latin\.txt: .*byte 0xe9 at line 1, byte 4\. .*iconv/,
  },
  {
    name: "a corpus of one short document",
    args: ["--data", file("one.txt", "Only one short document.")],
    code: 1,
    says: /^DATA .*one\.txt: .*at least 2 documents.*Add more text/,
  },
  {
    name: "a context longer than the data",
    args: ["--data", corpus, "--sequence-len", "1000000"],
    code: 1,
    says: /^DATA first: .*longer than the context, got \d+ tokens.*--sequence-len/,
  },
  {
    name: "a path where nothing is",
    args: ["--data", join(folder, "nowhere")],
    code: 1,
    says: /^DATA .*nowhere: .*got nothing there.*Check the path/,
  },
  {
    name: "an unknown flag",
    args: ["--learning-rate", "1"],
    code: 2,
    says: /^USAGE --learning-rate: unknown flag\./,
  },
  {
    name: "a misspelt flag",
    args: ["--sequence-length", "1"],
    code: 2,
    says: /^USAGE --sequence-length: unknown flag\. .*--sequence-len/,
  },
  {
    name: "a misspelt key in a file",
    args: ["--config", file("run.json", '{"wieghtDecay": 0.1}')],
    code: 1,
    says: /^CONFIG .*run\.json: unknown key "wieghtDecay"\. .*weightDecay/,
  },
  {
    name: "a value of the wrong type in a file",
    args: ["--config", file("type.json", '{"steps": "many"}')],
    code: 1,
    says: /^CONFIG .*type\.json: steps must be an? .*got "many"/,
  },
  {
    name: "a file that is no JSON",
    args: ["--config", file("torn.json", '{"steps": ')],
    code: 1,
    says: /^CONFIG .*torn\.json: a configuration must be readable JSON/,
  },
  {
    name: "a value out of range",
    args: ["--min-lr", "2"],
    code: 2,
    says: /^USAGE --min-lr must be between 0 and 1, got 2\./,
  },
  {
    name: "heads that do not divide the width",
    args: ["--data", corpus, "--n-embd", "30", "--n-head", "4"],
    code: 1,
    says: /^CONFIG pretrain: nHead must divide nEmbd, got 4 and 30\./,
  },
  {
    name: "a resume without a run",
    args: ["--resume"],
    code: 1,
    says: /^CHECKPOINT .*out: --resume needs a run with a checkpoint, got none\./,
  },
];

for (const { name, args, code, says } of rows)
  test(`${name} is one line that names it and the fix`, async () => {
    const result = await pretrain(...args);
    assert.match(result.last, says);
    assert.equal(result.code, code);
  });

test("a run is resumed by the same configuration only", async () => {
  const same = ["--data", corpus, "--out", join(folder, "same")];
  assert.equal((await pretrain(...same)).code, 0);
  const otherRate = await pretrain(...same, "--lr", "0.5");
  assert.match(otherRate.last, /^CONFIG .*same: .*got lr 0\.5 where it has 0\.\d+\. .*--fresh/);
  const otherText = join(folder, "other-corpus");
  mkdirSync(otherText);
  writeCorpus(otherText, 61);
  const moved = await pretrain(...same, "--data", otherText);
  assert.match(moved.last, /^DATA .*same: .*got other text\. .*--fresh/);
  assert.equal((await pretrain(...same, "--log-every", "3")).code, 0, "free keys may change");
  assert.equal((await pretrain("--out", join(folder, "same"), "--resume")).code, 0);
  assert.equal((await pretrain(...same, "--lr", "0.5", "--fresh")).code, 0);
});

test("a gradient that never settles ends as DIVERGED", async () => {
  const wild = ["--data", corpus, "--out", join(folder, "wild"), "--steps", "60"];
  const result = await pretrain(...wild, "--spike-factor", "1.1", "--max-skips", "1");
  assert.match(
    result.last,
    /^DIVERGED pretrain: .*after 1 skipped steps in a row\..*half the --lr/,
  );
  assert.equal(result.code, 1);
});
