/** Memory behind the kernel's gates: what a process gets is what its capabilities name. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createBlobStore } from "../../../src/durable/blobs.ts";
import type { Database } from "../../../src/durable/database.ts";
import type { Program } from "../../../src/os/kernel/process.ts";
import { openMemory } from "../../../src/os/memory/memory.ts";
import { labelOf } from "../../../src/os/security/label.ts";
import { toLabelJson } from "../../../src/os/security/label-json.ts";
import { type Json, labelled, wholeLabel } from "../../../src/os/security/labelled.ts";
import { testDatabase } from "../../durable/test-database.ts";
import {
  ask,
  boot,
  codeOf,
  everything,
  okValue,
  returned,
  runToEnd,
  typed,
} from "../kernel/test-kernel.ts";

let database: Database;
const folder = mkdtempSync(join(tmpdir(), "nutshell-memory-"));
const evil = labelOf("origin:https://evil.example", new Set(["ann"]));

before(async () => {
  database = await testDatabase();
});
after(async () => {
  await database[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** Writes one text for itself and one for those below, starts a child, and tells what it saw. */
const parent: Program = async (sys) => {
  const text = labelled({ text: "a secret of the parent" }, evil);
  const own = okValue(await sys.call("memory.write", text)) as { ref: string };
  const shared = { text: "a word for the family", space: "tree" };
  await ask(sys, "memory.write", shared);
  const input = { own: own.ref, parent: sys.pid };
  const pid = okValue(await ask(sys, "process.spawn", { program: "child", input }));
  const exit = okValue(await ask(sys, "process.wait", { pid }));
  const back = await sys.call("memory.page_in", typed({ ref: own.ref }));
  assert.equal(back.status, "ok");
  return typed({ exit, label: toLabelJson(wholeLabel(back.value.labels)) });
};

const child: Program = async (sys) => {
  const { own, parent } = sys.input.value as { own: string; parent: number };
  const search = await ask(sys, "memory.search", { query: "family secret" });
  const hits = okValue(search) as { excerpt: string }[];
  const space = `proc:${parent}`;
  return typed({
    found: hits.map(({ excerpt }) => excerpt),
    own: codeOf(await ask(sys, "memory.page_in", { ref: own })),
    space: codeOf(await ask(sys, "memory.search", { query: "secret", space })),
    proto: codeOf(
      await ask(sys, "memory.write", JSON.parse('{"text":"x","__proto__":{}}') as Json),
    ),
    unknown: codeOf(await ask(sys, "memory.write", { text: "x", owner: "bob" })),
    large: codeOf(await ask(sys, "memory.write", { text: "x".repeat(10_000_000) })),
  });
};

test("a child finds what its parent shares; the parent's own only by a grant that names it", async () => {
  const memory = await openMemory({ database, blobs: createBlobStore(folder) });
  await using kernel = await boot(database, { parent, child }, { syscalls: memory.calls });
  const run = async (capabilities = everything): Promise<{ exit: Json; label: Json }> => {
    const exit = await runToEnd(kernel, "parent", { capabilities, owner: "ann" });
    return returned(exit) as { exit: Json; label: Json };
  };
  const { exit, label } = await run();
  const refused = { proto: "ARGUMENTS", unknown: "ARGUMENTS", large: "ARGUMENTS" };
  const found = ["a word for the family"];
  const denied = { found, own: "ARGUMENTS", space: "CAPABILITY", ...refused };
  assert.deepEqual((exit as { value: Json }).value, denied);
  const sources = (label as { integrity: string[] }).integrity;
  assert.ok(sources.includes("origin:https://evil.example"));
  assert.deepEqual((label as { readers: Json }).readers, ["ann"]);
  const where = { space: { oneOf: ["proc:3"] } };
  const granted = await run([...everything, { call: "memory.*", where }]);
  assert.deepEqual((granted.exit as { value: Json }).value, {
    ...{ found, own: "ok", space: "ok" },
    ...refused,
  });
});
