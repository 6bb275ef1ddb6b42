/** What a command gets: checked values, what the user wrote, and an io that obeys the flags. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type CommandArgs,
  type CommandIo,
  defineCommand,
  parseCommand,
  runCommand,
} from "../../src/cli/command.ts";
import { renderCommandHelp } from "../../src/cli/help.ts";
import { createIo } from "../../src/cli/terminal.ts";
import type { OptionTable } from "../../src/options.ts";
import { RecordedStreams, recordedIo } from "./recorded-streams.ts";

interface Seen {
  values: { depth: number; dtype: "f32" | "bf16"; fast: boolean };
  args: CommandArgs<OptionTable>;
  io: CommandIo;
}

async function runGrow(argv: readonly string[], streams = new RecordedStreams()): Promise<Seen> {
  let seen: Seen | undefined;
  const grow = defineCommand({
    name: "grow",
    summary: "grows",
    example: "nutshell grow seed",
    positionals: [
      { name: "SEED", doc: "What to grow.", required: true },
      { name: "POT", doc: "Where.", required: false },
    ],
    options: {
      depth: { type: "integer", value: 4, doc: "How deep." },
      dtype: { type: "string", value: "f32", choices: ["f32", "bf16"], doc: "Numbers." },
      fast: { type: "boolean", value: false, doc: "Hurry." },
    },
    run(values, io, args) {
      seen = { values, io, args };
    },
  });
  const { globals, args } = parseCommand(grow, argv);
  await runCommand(grow, args, createIo(streams, globals, new AbortController().signal));
  assert.ok(seen);
  return seen;
}

test("values hold defaults and flags, given only what was written", async () => {
  const { values, args, io } = await runGrow(["seed", "--depth", "6", "--json", "--fast"]);
  assert.deepEqual(values, { depth: 6, dtype: "f32", fast: true });
  assert.deepEqual(args.given, { depth: 6, fast: true });
  assert.deepEqual(args.positionals, ["seed"]);
  assert.equal(io.json, true);
});

test("colour needs a terminal and yields to NO_COLOR and --no-color", async () => {
  const colorOf = async (argv: string[], isTTY: boolean, noColor?: string) => {
    const streams = new RecordedStreams({ isTTY });
    streams.env.NO_COLOR = noColor;
    return (await runGrow(["seed", ...argv], streams)).io.color;
  };
  assert.equal(await colorOf([], true), true);
  assert.equal(await colorOf([], true, ""), true);
  assert.equal(await colorOf([], true, "1"), false);
  assert.equal(await colorOf(["--no-color"], true), false);
  assert.equal(await colorOf([], false), false);
});

test("foreign text is exact in a pipe and harmless on a terminal", () => {
  const shown = (isTTY: boolean): string => {
    let out = "";
    const stdout = { isTTY, write: (text: string) => (out += text) };
    recordedIo({ stdout, stderr: { write: () => {} }, env: {} }).show("a\u001b[2J\n\u202eb");
    return out;
  };
  assert.equal(shown(false), "a\u001b[2J\n\u202eb");
  assert.equal(shown(true), "a\\u{1b}[2J\n\\u{202e}b");
});

test("a command cannot take a flag that belongs to all", () => {
  const declare = () =>
    defineCommand({
      name: "bad",
      summary: "bad",
      example: "nutshell bad",
      options: { json: { type: "boolean", value: false, doc: "Mine." } },
      run() {},
    });
  assert.throws(declare, /--json belongs to every command, got it in bad/);
});

test("help is derived from the declaration", () => {
  const command = defineCommand({
    name: "grow",
    summary: "grows a model",
    example: "nutshell grow seed --depth 4",
    positionals: [{ name: "SEED", doc: "What to grow.", required: true }],
    options: {
      depth: { type: "integer", value: 4, doc: "How deep.", placeholder: "LAYERS" },
      shuffle: { type: "boolean", value: true, doc: "Keep the order." },
    },
    run() {},
  });
  const expected = `grow: grows a model

Usage: nutshell grow SEED [flags]

Example: nutshell grow seed --depth 4

Words:
  SEED  What to grow.

Flags:
  --depth LAYERS  How deep. (default
                  4)
  --no-shuffle    Keep the order.

Flags of every command:
`;
  assert.ok(renderCommandHelp(command, 30).startsWith(expected), renderCommandHelp(command, 30));
});
