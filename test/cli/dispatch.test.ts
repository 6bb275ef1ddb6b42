/** The command line as a user meets it: exit codes, where output goes, help for every command. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { defineCommand } from "../../src/cli/command.ts";
import { commands } from "../../src/cli/command-table.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import { execute, renderError, reportErrors } from "../../src/cli/execute.ts";
import { NutshellError } from "../../src/error.ts";
import { flagOf } from "../../src/options.ts";
import { RecordedStreams } from "./recorded-streams.ts";

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const streams = new RecordedStreams();
  const code = await dispatch(argv, streams);
  return { code, out: streams.out, err: streams.err };
}

test("every file of a command has its row in the table", () => {
  const files = readdirSync(new URL("../../src/cli/commands/", import.meta.url));
  assert.deepEqual(
    Object.keys(commands).sort(),
    files.map((file) => file.replace(".ts", "")).sort(),
  );
});

test("no words, help and --help list every command", async () => {
  const { code, out, err } = await run();
  assert.equal(code, 0);
  assert.equal(err, "");
  for (const name of Object.keys(commands)) assert.match(out, new RegExp(`^  ${name} +\\w`, "m"));
  assert.equal((await run("help")).out, out);
  assert.equal((await run("--help")).out, out);
});

for (const [name, load] of Object.entries(commands)) {
  test(`${name} --help shows its flags and an example of itself`, async () => {
    const { command } = await load();
    const { code, out } = await run(name, "--help");
    assert.equal(code, 0);
    assert.equal(command.name, name);
    assert.ok(command.example.startsWith(`nutshell ${name}`), command.example);
    assert.ok(out.includes(command.example));
    for (const [key, row] of Object.entries(command.options))
      assert.ok(out.includes(flagOf(key, row)));
    for (const line of out.split("\n")) assert.ok(line.length <= 100, line);
  });
}

const refused: readonly [argv: readonly string[], message: RegExp][] = [
  [["explian"], /^USAGE explian: unknown command\. Did you mean "explain"\?\n$/],
  [["toString"], /^USAGE toString: unknown command\. Known: /],
  [["explain"], /^USAGE explain: needs CODE, got none\. Try: nutshell explain CHECKPOINT\n$/],
  [["explain", "A", "B"], /^USAGE explain: takes no word "B"/],
  [["explain", "SHAPES"], /^USAGE explain: no page for "SHAPES"\. Did you mean "SHAPE"\?\n$/],
  [["explain", "SHAPE", "--jsn"], /^USAGE --jsn: unknown flag\. Did you mean "--json"\?\n$/],
];

for (const [argv, message] of refused) {
  test(`${argv.join(" ")}: exit 2, one line on stderr, nothing on stdout`, async () => {
    const { code, out, err } = await run(...argv);
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.match(err, message);
  });
}

test("--debug adds the stack", async () => {
  const { err } = await run("explain", "SHAPES", "--debug");
  assert.match(err, /^USAGE NutshellError: explain: no page .*\n +at /);
});

test("an error is one line, with its causes only under --debug", () => {
  const error = new NutshellError("DISK", "save: no room.\n  Free some.", {
    cause: new Error("ENOSPC"),
  });
  assert.equal(renderError(error, false), "DISK save: no room. Free some.");
  assert.match(renderError(error, true), /caused by Error: ENOSPC\n +at /);
  assert.match(
    renderError(new TypeError("x is undefined"), false),
    /^bug in nutshell, .*TypeError/,
  );
});

test("an interrupted command that comes to its end exits with 130", async () => {
  const streams = new RecordedStreams();
  const wait = defineCommand({
    name: "wait",
    start: "npm run wait --",
    summary: "waits",
    example: "npm run wait",
    options: {},
    async run(_values, { signal }) {
      process.kill(process.pid, "SIGINT");
      await once(signal, "abort");
    },
  });
  assert.equal(await execute(wait, [], streams), 130);
  assert.equal(
    streams.err,
    "stopping at the next safe point; press Ctrl-C again to stop at once\n",
  );
  assert.equal(await execute(wait, ["--help"], streams), 0);
  assert.match(streams.out, /^Usage: npm run wait -- \[flags\]$/m);
});

test("a failure exits with 1", async () => {
  const fail = () => Promise.reject(new NutshellError("DATA", "notes.txt: is empty."));
  const streams = new RecordedStreams();
  assert.equal(await reportErrors([], streams, fail), 1);
  assert.equal(streams.err, "DATA notes.txt: is empty.\n");
});

test("--version is the package's", async () => {
  assert.match((await run("--version")).out, /^\d+\.\d+\.\d+\n$/);
});
