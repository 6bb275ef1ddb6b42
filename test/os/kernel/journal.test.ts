/**
 * The journal: any record that is flipped, cut, moved or put in is found, in the rows themselves;
 * heads that were rewritten as well are found by the anchors outside the database. Replay gives the
 * same, and refuses a program that is not what it was.
 */
import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import type { Database } from "../../../src/durable/database.ts";
import type { JournalRecord, Kernel } from "../../../src/os/kernel/kernel.ts";
import type { Program } from "../../../src/os/kernel/process.ts";
import { checkChain, hashOf } from "../../../src/os/kernel/verify.ts";
import { labelOf } from "../../../src/os/security/label.ts";
import { type Json, labelled } from "../../../src/os/security/labelled.ts";
import { testDatabase } from "../../durable/test-database.ts";
import { ask, boot, everything, okValue, returned, row, runToEnd, typed } from "./test-kernel.ts";

let database: Database;
let kernel: Kernel;
let folder: string;
let anchorFile: string;
const ran: string[] = [];

const syscalls = [
  row("test.echo", "pure", async (args) => ({ value: (args.value as { value: Json }).value })),
  row("test.effect", "idempotent", async (_args, { key }) => {
    ran.push(key);
    return { value: ran.length, labels: { label: labelOf("origin:a.example") } };
  }),
];
const programs: Readonly<Record<string, Program>> = {
  talks: async (sys) => {
    for (const value of ["a", "ä\u0000\ud800", { b: [1, null] }])
      await ask(sys, "test.echo", { value });
    await ask(sys, "test.effect", {});
    return typed("talked");
  },
  /** Told how to behave by how often it has run, which is what a program must not look at. */
  fickle: async (sys) => {
    runs += 1;
    await ask(sys, runs === 1 ? "test.effect" : "test.echo", {});
    await ask(sys, "time.sleep", { ms: 60_000 });
    return typed(null);
  },
  /** Returns what it saw, labels too, after a restart in its midst. */
  remembers: async (sys) => {
    const first = await sys.call("test.effect", labelled({ value: 1 }, labelOf("file:x.txt")));
    await ask(sys, "time.sleep", { ms: 500 });
    assert.equal(first.status, "ok");
    return first.status === "ok" ? first.value : typed(null);
  },
};
let runs = 0;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "nutshell-journal-"));
  anchorFile = join(folder, "anchors");
  database = await testDatabase();
  kernel = await boot(database, programs, { syscalls, anchorFile });
});
after(async () => {
  await kernel[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function talk(): Promise<{ pid: number; chain: readonly JournalRecord[] }> {
  const pid = await kernel.spawn({ program: "talks", input: typed(1), capabilities: everything });
  assert.equal(returned(await kernel.wait(pid)), "talked");
  return { pid, chain: await kernel.journal(pid) };
}

test("every way to damage a chain is found, and where", async () => {
  const { pid, chain } = await talk();
  const head = [pid, chain.length, chain.at(-1)?.hash ?? ""] as const;
  assert.deepEqual(checkChain(pid, chain, [head]), []);
  const place = fc.integer({ min: 0, max: chain.length - 1 });
  const damage = fc.oneof(
    fc.record({ how: fc.constant("flip" as const), at: place, bit: fc.nat(1e6) }),
    fc.record({ how: fc.constant("cut" as const), at: place, bit: fc.nat(0) }),
    fc.record({ how: fc.constant("swap" as const), at: place, bit: fc.nat(chain.length - 1) }),
    fc.record({ how: fc.constant("double" as const), at: place, bit: fc.nat(0) }),
    fc.record({ how: fc.constant("time" as const), at: place, bit: fc.nat(0) }),
  );
  fc.assert(
    fc.property(damage, ({ how, at, bit }) => {
      const damaged = damages[how]?.(chain, at, bit) ?? chain;
      const same = JSON.stringify(damaged) === JSON.stringify(chain);
      assert.equal(checkChain(pid, damaged, [head]).length, same ? 0 : 1, how);
    }),
    { numRuns: 500 },
  );
});

const damages: Readonly<
  Record<string, (chain: readonly JournalRecord[], at: number, bit: number) => JournalRecord[]>
> = {
  flip: (chain, at, bit) => {
    const text = JSON.stringify(chain[at]);
    const target = (chain[at] as JournalRecord).body;
    const index = bit % target.length;
    const flipped = String.fromCharCode(target.charCodeAt(index) ^ (1 << (bit % 7)));
    const body = target.slice(0, index) + flipped + target.slice(index + 1);
    return chain.with(at, { ...(JSON.parse(text) as JournalRecord), body });
  },
  cut: (chain, at) => chain.toSpliced(at, 1),
  swap: (chain, at, other) => {
    const [a, b] = [chain[at] as JournalRecord, chain[other] as JournalRecord];
    return chain.with(at, { ...b, index: a.index }).with(other, { ...a, index: b.index });
  },
  double: (chain, at) => chain.toSpliced(at, 0, chain[at] as JournalRecord),
  time: (chain, at) => {
    const one = chain[at] as JournalRecord;
    return chain.with(at, { ...one, at: one.at + 1 });
  },
};

test("a flipped row in the database is found; a whole forged chain by the anchors", async () => {
  const { pid, chain } = await talk();
  while ((await anchored(pid)) < chain.length) await sleep(50);
  assert.deepEqual((await kernel.verifyJournal()).problems, []);
  const { pool } = database;
  await pool.query("update journal set body = replace(body, 'talked', 'walked') where pid = $1", [
    pid,
  ]);
  const [problem, ...more] = (await kernel.verifyJournal()).problems;
  assert.deepEqual([problem?.pid, problem?.index, more], [pid, chain.length, []]);
  await forge(pid);
  const forged = (await kernel.verifyJournal()).problems;
  assert.match(forged[0]?.text ?? "", /another record stood here/);
  await pool.query("delete from journal where pid = $1", [pid]);
  await pool.query("delete from process where pid = $1", [pid]);
  assert.match((await kernel.verifyJournal()).problems[0]?.text ?? "", /whole process is gone/);
  const lines = readFileSync(anchorFile, "utf8");
  writeFileSync(anchorFile, lines.replaceAll(`[${pid},`, `[${pid + 100_000},`));
  assert.match((await kernel.verifyJournal()).problems[0]?.text ?? "", /not signed/);
  writeFileSync(
    anchorFile,
    lines
      .split("\n")
      .filter((line) => !line.includes(`[${pid},`))
      .join("\n"),
  );
  appendFileSync(anchorFile, '{"at":1,"heads":[[');
  assert.deepEqual((await kernel.verifyJournal()).problems, [], "a torn last line is no forgery");
  assert.equal(statSync(`${anchorFile}.key`).mode & 0o777, 0o600);
});

async function anchored(pid: number): Promise<number> {
  const { rows } = await database.pool.query("select anchored from process where pid = $1", [pid]);
  return rows[0].anchored;
}

/** What somebody who may write to every table would do: all hashes and the head made to fit. */
async function forge(pid: number): Promise<void> {
  let previous = "";
  for (const record of await kernel.journal(pid)) {
    previous = hashOf(previous, record);
    await database.pool.query("update journal set hash = $3 where pid = $1 and index = $2", [
      ...[pid, record.index, previous],
    ]);
  }
  await database.pool.query("update process set head_hash = $2 where pid = $1", [pid, previous]);
}

test("after a restart the same calls answer with the same values and labels, and run once", async () => {
  const before = ran.length;
  const pid = await kernel.spawn({
    program: "remembers",
    input: typed(1),
    capabilities: everything,
  });
  while ((await kernel.process(pid))?.current !== "time.sleep") await sleep(5);
  await kernel[Symbol.asyncDispose]();
  kernel = await boot(database, programs, { syscalls, anchorFile });
  assert.equal(returned(await kernel.wait(pid)), before + 1);
  assert.equal(ran.length, before + 1);
  const { rows } = await database.pool.query("select exit_labels from process where pid = $1", [
    pid,
  ]);
  const { integrity } = JSON.parse(rows[0].exit_labels).label;
  assert.deepEqual(integrity, ["file:x.txt", "origin:a.example"]);
});

test("a program that makes other calls when it runs again is ended, by name", async () => {
  const pid = await kernel.spawn({ program: "fickle", input: typed(1), capabilities: everything });
  while ((await kernel.process(pid))?.current !== "time.sleep") await sleep(5);
  await kernel[Symbol.asyncDispose]();
  kernel = await boot(database, programs, { syscalls, anchorFile });
  const exit = await kernel.wait(pid);
  assert.equal(exit.how === "failed" && exit.code, "JOURNAL");
});

test("a fork has the past up to its call, and goes its own way from there", async () => {
  const before = ran.length;
  const { pid } = await talk();
  const fork = await kernel.fork(pid, 4);
  assert.equal(returned(await kernel.wait(fork)), "talked");
  assert.equal(ran.length, before + 2, "call 4 was made anew, under another key");
  assert.equal(new Set(ran.slice(before)).size, 2);
  const [mine, copied] = [await kernel.journal(pid), await kernel.journal(fork)];
  assert.deepEqual(
    copied.slice(1, 4).map(({ body }) => body),
    mine.slice(1, 4).map(({ body }) => body),
  );
  assert.deepEqual((await kernel.verifyJournal()).problems, []);
  await assert.rejects(kernel.fork(pid, 6), /PROCESS|from 1 to 5/);
});

test("a process forks itself in two that differ in what the fork gave them", async () => {
  Object.assign(programs, {
    splits: (async (sys) => {
      const child = okValue(await ask(sys, "process.fork", {}));
      if (child === 0) return typed("child");
      return typed(child);
    }) as Program,
  });
  const child = returned(await runToEnd(kernel, "splits")) as number;
  assert.equal(returned(await kernel.wait(child)), "child");
});
