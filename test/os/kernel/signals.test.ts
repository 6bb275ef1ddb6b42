/** Signals over a real Postgres: whom they reach, what they leave, and what outlives a daemon. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../../../src/durable/database.ts";
import type { Kernel } from "../../../src/os/kernel/kernel.ts";
import type { ProcessRecord, Program } from "../../../src/os/kernel/process.ts";
import type { Json } from "../../../src/os/security/labelled.ts";
import { testDatabase } from "../../durable/test-database.ts";
import {
  ask,
  boot,
  codeOf,
  everything,
  okValue,
  returned,
  row,
  runToEnd,
  typed,
} from "./test-kernel.ts";

let database: Database;
let kernel: Kernel;
const aborted: number[] = [];

const programs: Readonly<Record<string, Program>> = {
  sleeper: async (sys) => {
    const first = codeOf(await ask(sys, "time.sleep", { ms: 60_000 }));
    return typed([first, codeOf(await ask(sys, "time.sleep", { ms: 5 }))]);
  },
  /** Never ends by itself, whatever it is told. */
  stubborn: async (sys) => {
    for (;;) await ask(sys, "time.sleep", { ms: 60_000 });
  },
  /** Spawns children that spawn children, without end. */
  bomb: async (sys) => {
    const depth = sys.input.value as number;
    for (;;) {
      await ask(sys, "process.spawn", {
        program: depth > 0 ? "bomb" : "stubborn",
        input: depth - 1,
      });
    }
  },
  busy: async (sys) => {
    await ask(sys, "test.hang", {});
    return typed("never");
  },
  counts: async (sys) => {
    for (let i = 0; i < 5; i += 1) await ask(sys, "time.sleep", { ms: 20 });
    return typed("counted");
  },
  listens: async (sys) => typed(okValue(await ask(sys, "mail.recv", {}))),
};
const syscalls = [
  row("test.hang", "irreversible", async (_args, { signal, pid }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    aborted.push(pid);
    throw new Error("cut off");
  }),
];

const start = async (program: string, input: Json = null): Promise<number> =>
  kernel.spawn({ program, input: typed(input), capabilities: everything });

async function until(pid: number, is: (record: ProcessRecord) => boolean): Promise<void> {
  for (;;) {
    const record = await kernel.process(pid);
    if (record !== undefined && is(record)) return;
    await sleep(5);
  }
}
const waiting = (record: ProcessRecord): boolean => record.state === "waiting";

before(async () => {
  database = await testDatabase();
  kernel = await boot(database, programs, { syscalls });
});
after(async () => {
  await kernel[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

test("KILL reaches a tree that grows while it is killed, all of it", async () => {
  const pid = await start("bomb", 2);
  const other = await start("stubborn");
  await until(other, waiting);
  while ((await kernel.processes()).length < 30) await sleep(5);
  const reached = await kernel.signal(pid, "KILL", "tree");
  const living = (await kernel.processes({ all: true })).filter(({ exit }) => exit === undefined);
  assert.deepEqual(
    living.map((record) => record.pid),
    [other],
  );
  await sleep(100);
  const born = (await kernel.processes({ all: true })).length;
  await sleep(100);
  assert.equal((await kernel.processes({ all: true })).length, born, "nobody is born any more");
  assert.ok(reached.length >= 30, `${reached.length}`);
  assert.deepEqual(await kernel.wait(pid), { how: "killed", signal: "KILL" });
  await kernel.signal(other, "KILL");
});

test("KILL aborts the call under way, and its uncertain effect is a person's to settle", async () => {
  const pid = await start("busy");
  await until(pid, ({ state }) => state === "running");
  await kernel.signal(pid, "KILL");
  assert.deepEqual(await kernel.wait(pid), { how: "killed", signal: "KILL" });
  while (!aborted.includes(pid)) await sleep(5);
  const [ticket, ...more] = await kernel.tickets({ pid });
  assert.equal(ticket?.kind, "unknown");
  assert.deepEqual(more, []);
  await kernel.answer(ticket?.id as number, { kind: "did-not-happen" });
  assert.deepEqual(await kernel.tickets({ pid }), []);
});

test("INT ends the present wait and no later one", async () => {
  const pid = await start("sleeper");
  await until(pid, waiting);
  await kernel.signal(pid, "INT");
  assert.deepEqual(returned(await kernel.wait(pid)), ["INTERRUPTED", "ok"]);
});

test("TERM lets it end by itself, and kills what does not in time", async () => {
  const polite = await start("sleeper");
  await until(polite, waiting);
  await kernel.signal(polite, "TERM");
  assert.deepEqual(returned(await kernel.wait(polite)), ["INTERRUPTED", "ok"]);
  const pid = await start("stubborn");
  await until(pid, waiting);
  await kernel.signal(pid, "TERM");
  await database.pool.query("update process set kill_at = 1 where pid = $1", [pid]);
  assert.deepEqual(await kernel.wait(pid), { how: "killed", signal: "TERM" });
});

test("a stopped process makes no call until it is continued, across a restart too", async () => {
  const pid = await start("counts");
  await until(pid, ({ calls }) => calls >= 2);
  await kernel.signal(pid, "STOP");
  const stopped = await kernel.process(pid);
  assert.equal(stopped?.state, "stopped");
  await kernel[Symbol.asyncDispose]();
  kernel = await boot(database, programs, { syscalls });
  await sleep(200);
  const later = await kernel.process(pid);
  assert.equal(later?.state, "stopped");
  assert.ok((later?.calls ?? 9) <= (stopped?.calls ?? 0) + 1, "at most the call under way ended");
  await kernel.signal(pid, "CONT");
  assert.equal(returned(await kernel.wait(pid)), "counted");
});

test("a signal to a group reaches it and not its neighbours; USR1 lies in the mailbox", async () => {
  const [one, two] = [await start("listens"), await start("listens")];
  await until(one, waiting);
  await until(two, waiting);
  assert.deepEqual(await kernel.signal(one, "USR1", "group"), [one]);
  const mail = { from: 0, body: { signal: "USR1" } };
  assert.deepEqual(returned(await kernel.wait(one)), mail);
  assert.equal((await kernel.process(two))?.state, "waiting");
  await kernel.signal(two, "KILL");
  assert.deepEqual(await kernel.signal(two, "KILL"), [], "who has ended is reached by nothing");
});

test("a sleep counts from its intent, not from the restart", async () => {
  const begun = Date.now();
  Object.assign(programs, {
    naps: (async (sys) => typed(codeOf(await ask(sys, "time.sleep", { ms: 900 })))) as Program,
  });
  const pid = await start("naps");
  await until(pid, waiting);
  await sleep(300);
  await kernel[Symbol.asyncDispose]();
  kernel = await boot(database, programs, { syscalls });
  assert.equal(returned(await kernel.wait(pid)), "ok");
  const took = Date.now() - begun;
  assert.ok(took >= 900 && took < 4000, `${took} ms`);
});

test("renice is seen by the next call; a program unknown here fails with its name", async () => {
  const pid = await start("sleeper");
  await kernel.renice(pid, 7);
  assert.equal((await kernel.process(pid))?.nice, 7);
  await kernel.signal(pid, "KILL");
  const exit = await runToEnd(kernel, "nowhere");
  assert.equal(exit.how === "failed" && exit.code, "PROCESS");
});
