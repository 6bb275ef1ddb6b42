/** Every error code has a page and every page a code; `nutshell explain` prints it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { listErrorPages } from "../../src/cli/commands/explain.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import type { ErrorCode } from "../../src/error.ts";
import { RecordedStreams } from "./recorded-streams.ts";

/** The compiler holds these keys against the type: none missing, none too many. */
const codes: Readonly<Record<ErrorCode, true>> = {
  SHAPE: true,
  TOOLCHAIN: true,
  CHECKPOINT: true,
  DATA: true,
  TOKENIZER: true,
  CONFIG: true,
  USAGE: true,
  DISK: true,
  DIVERGED: true,
  CONTEXT: true,
  OVERLOADED: true,
  UNSUPPORTED: true,
  ABORTED: true,
  PROVIDER: true,
  DATABASE: true,
  JOURNAL: true,
  PROCESS: true,
  DENIED: true,
  PLAN: true,
  MANIFEST: true,
};

const parts = ["What it means.", "Why it happens.", "What to do.", "Example."];

test("codes and pages are the same set", async () => {
  assert.deepEqual(await listErrorPages(), Object.keys(codes).sort());
});

for (const code of Object.keys(codes)) {
  test(`explain ${code} prints its page, with every part`, async () => {
    const streams = new RecordedStreams();
    assert.equal(await dispatch(["explain", code.toLowerCase()], streams), 0);
    const page = new URL(`../../docs/errors/${code}.md`, import.meta.url);
    assert.equal(streams.out, readFileSync(page, "utf8"));
    assert.ok(streams.out.startsWith(`# ${code}\n`));
    for (const part of parts) assert.ok(streams.out.includes(`\n**${part}**`), part);
    assert.match(streams.out, new RegExp(`^    ${code} \\S`, "m"));
  });
}

test("explain --json is one JSON line", async () => {
  const streams = new RecordedStreams();
  assert.equal(await dispatch(["explain", "DISK", "--json"], streams), 0);
  const { code, text } = JSON.parse(streams.out) as { code: string; text: string };
  assert.equal(code, "DISK");
  assert.ok(text.startsWith("# DISK\n"));
});
