/** Flags of `nutshell plan` through the real command line parser. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CommandIo, parseCommand, runCommand } from "../../../src/cli/command.ts";
import { command } from "../../../src/cli/commands/plan.ts";

async function plan(...argv: string[]): Promise<string> {
  const { globals, args } = parseCommand(command, argv);
  let text = "";
  const stdout = (part: string): void => {
    text += part;
  };
  const io: CommandIo = {
    ...{ stdout, show: stdout },
    stderr: () => undefined,
    json: globals.json,
    signal: new AbortController().signal,
    isTTY: false,
    columns: 80,
    color: false,
  };
  await runCommand(command, args, io);
  return text;
}

test("the contract's command prints the published figures beside its own", async () => {
  const text = await plan("--params", "70e9", "--tokens", "2e12", "--gpu", "a100");
  assert.match(text, /1,720,320/);
  assert.match(text, /about \$2 million/);
  assert.match(text, /140 GB +140 GB/);
});

test("--json is one line with the same numbers, in base units", async () => {
  const text = await plan("--params", "70e9", "--tokens", "2e12", "--json");
  assert.equal(text.indexOf("\n"), text.length - 1);
  const value = JSON.parse(text) as { flops: number; published: { run: { gpuHours: number } } };
  assert.equal(value.flops, 8.4e23);
  assert.equal(value.published.run.gpuHours, 1_720_320);
});

test("flags replace the assumptions", async () => {
  const argv = ["--params", "1e9", "--tokens", "1e9", "--gpu", "cpu", "--gflops", "500"];
  const text = await plan(...argv, "--mfu", "0.5", "--usd-per-hour", "2", "--json");
  const value = JSON.parse(text) as { gpuHours: number; usd: number };
  assert.ok(Math.abs(value.gpuHours - 6e18 / (250e9 * 3600)) < 1e-6);
  assert.ok(Math.abs(value.usd - 2 * value.gpuHours) < 1e-6);
});

test("--depth plans the model of that depth, embedding in the file but not in the FLOPs", async () => {
  const text = await plan("--depth", "6", "--vocab-size", "8192", "--json");
  const value = JSON.parse(text) as { params: number; storedParams: number; tokens: number };
  const matrices = 6 * (4 * 384 ** 2 + 3 * 384 * 1024);
  const table = 8192 * 384;
  assert.equal(value.params, matrices + table);
  assert.equal(value.storedParams, matrices + 2 * table + 13 * 384);
  assert.equal(value.tokens, 12 * value.params);
  const day = JSON.parse(await plan("--depth", "6", "--hours", "24", "--gpu", "cpu", "--json"));
  assert.equal(day.params, value.params);
  assert.ok(Math.abs(day.gpuHours - 24) < 1e-9);
});

test("an unclear question is a usage error that names the flags", async () => {
  const wrong: [string[], RegExp][] = [
    [[], /needs --params, --depth, --budget-flops, --budget-usd or --hours/],
    [["--tokens", "1e9"], /needs --params/],
    [["--hours", "1", "--budget-usd", "5"], /one budget, got --budget-usd and --hours/],
    [["--params", "1e9", "--tokens", "1e9", "--hours", "1"], /Drop one/],
    [["--params", "1e9", "--depth", "6"], /--params and --depth/],
    [["--params", "-1"], /greater than 0/],
    [["--gpu", "tpu", "--params", "1e9"], /--gpu must be one of a100/],
    [["--mfu", "2", "--params", "1e9"], /--mfu/],
  ];
  for (const [argv, message] of wrong) {
    await assert.rejects(plan(...argv), { code: "USAGE", message }, argv.join(" "));
  }
});
