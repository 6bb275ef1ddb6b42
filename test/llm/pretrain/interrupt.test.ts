/** What the machine may do to a run: Ctrl-C at any time, a full disk, no compiler. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { latestGoodCheckpoint } from "../../../src/llm/model/run-folder.node.ts";
import { type ChildRun, startChild, writeCorpus } from "./child-run.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-interrupt-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const corpus = writeCorpus(join(folder, "corpus"), 60);
const small = [
  ...["--data", corpus, "--vocab-size", "300", "--depth", "1", "--sequence-len", "32"],
  ...[
    "--batch",
    "2",
    "--clean",
    "off",
    "--grad-accum-steps",
    "1",
    "--log-every",
    "1",
    "--eval-batches",
    "1",
  ],
  ...["--eval-every", "100000", "--sample-every", "100000", "--threads", "1"],
];

const outOf = (name: string): string => join(folder, name);

function start(name: string, args: readonly string[], env?: Record<string, string>): ChildRun {
  return startChild([...small, "--out", outOf(name), ...args], env);
}

test("Ctrl-C saves, exits 130, and the same command goes on", async () => {
  const args = ["--steps", "100000", "--warmup", "10"];
  const run = start("stopped", args);
  await run.until(() => run.step() >= 5);
  run.process.kill("SIGINT");
  assert.deepEqual(await run.ended, { code: 130, signal: null }, run.text());
  const [, saved] = /saved after step (\d+)/.exec(run.text()) ?? [];
  const { folder: checkpoint } = await latestGoodCheckpoint(outOf("stopped"));
  const state = JSON.parse(readFileSync(`${checkpoint}/training/state.json`, "utf8"));
  assert.equal(state.step, Number(saved));

  const again = start("stopped", args);
  await again.until(() => again.step() > state.step);
  assert.ok(again.text().includes(`after step ${saved} of`), again.text());
  again.process.kill("SIGINT");
  assert.equal((await again.ended).code, 130);
});

test("Ctrl-C while the run is still being set up stops it as well", async () => {
  const run = start("early", ["--steps", "100000"]);
  await run.until(() => run.text().includes("computing with"));
  run.process.kill("SIGINT");
  assert.equal((await run.ended).code, 130, run.text());
  assert.doesNotMatch(run.text(), /bug in nutshell/);
});

test("a full disk keeps the last good checkpoint and says so", async (t) => {
  const out = outOf("full");
  mkdirSync(out);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", out]);
  if (mounted.status !== 0) return t.skip("a small file system cannot be mounted here");
  try {
    // One checkpoint is 1.1 MB; keep wants many more than the disk has room for.
    const run = start("full", ["--steps", "1000", "--save-every", "20", "--keep", "50"]);
    assert.equal((await run.ended).code, 1, run.text());
    const last = run.text().trim().split("\n").at(-1) ?? "";
    assert.match(last, /^DISK .*ENOSPC: the disk is full\..*step-\d+ is intact\. Then resume\.$/);
    const { folder: checkpoint, skipped } = await latestGoodCheckpoint(out);
    assert.ok(checkpoint !== undefined && last.includes(checkpoint), last);
    assert.deepEqual(skipped, []);
  } finally {
    spawnSync("umount", [out]);
  }
});

test("without a compiler a plain notice, and the reference backend trains", async () => {
  const run = start("plain", ["--steps", "3", "--precision", "f32"], { CC: "/nonexistent/cc" });
  assert.equal((await run.ended).code, 0, run.text());
  const [notice = ""] = run.text().split("\n");
  assert.match(notice, /a C compiler must answer.*apt-get install gcc.*reference backend runs/);
  assert.match(run.text(), /^computing with plain JavaScript/m);
  assert.match(run.text(), /^val_bpb: \d/m);
  assert.ok(existsSync(join(outOf("plain"), "loss.svg")));
});

test("asked for by name, a missing compiler is an error", async () => {
  const run = start("forced", ["--steps", "3", "--backend", "c"], { CC: "/nonexistent/cc" });
  assert.equal((await run.ended).code, 1);
  assert.match(run.text().trim(), /^TOOLCHAIN c backend: .*$/);
});
