/** What ended or broke leaves nothing behind that a person, or another process, stumbles over. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../../../src/durable/database.ts";
import type { Kernel } from "../../../src/os/kernel/kernel.ts";
import type { Program } from "../../../src/os/kernel/process.ts";
import { testDatabase } from "../../durable/test-database.ts";
import { ask, boot, codeOf, everything, returned, row, typed } from "./test-kernel.ts";

let database: Database;
let kernel: Kernel;
let skewMs = 0;
let broken: (pid: number) => boolean = () => true;
const notices: string[] = [];

const syscalls = [
  row("test.ask", "idempotent", async ({ value }, { ask: put }) => ({ value: await put(value) }), {
    waits: true,
  }),
];
const programs: Readonly<Record<string, Program>> = {
  asks: async (sys) => typed(codeOf(await ask(sys, "test.ask", { value: "which?" }))),
  ends: async () => typed("ended"),
};

before(async () => {
  database = await testDatabase();
  kernel = await boot(database, programs, {
    ...{ syscalls, now: () => Date.now() + skewMs, notice: (text) => notices.push(text) },
    onFork: async ({ from }) => {
      if (broken(from.pid)) throw new Error("the copy broke");
    },
  });
});
after(async () => {
  await kernel[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const start = (program: string): Promise<number> =>
  kernel.spawn({ program, input: typed(null), capabilities: everything });

test("a question dies with who asked it", async () => {
  const pid = await start("asks");
  while ((await kernel.tickets({ pid })).length === 0) await sleep(5);
  await kernel.signal(pid, "KILL");
  assert.deepEqual(await kernel.tickets({ pid }), []);
  const [ticket] = await kernel.tickets({ pid, all: true });
  assert.equal(ticket?.state, "expired");
  const answer = { kind: "reply", text: "this" } as const;
  await assert.rejects(kernel.answer(ticket?.id ?? 0, answer), /must be open, got expired/);
});

test("a fork whose files cannot be copied keeps no other fork from its life", async () => {
  const [first, second] = [await start("ends"), await start("ends")];
  for (const pid of [first, second]) {
    await kernel.wait(pid);
    await assert.rejects(kernel.fork(pid), /the copy broke/);
  }
  broken = (pid) => pid === first;
  skewMs = 10_000;
  const all = await kernel.processes({ all: true });
  const fork = all.findLast(({ title }) => title.endsWith(`(fork of ${second})`));
  assert.equal(returned(await kernel.wait(fork?.pid ?? 0, AbortSignal.timeout(4000))), "ended");
  assert.ok(notices.some((text) => /the copy broke/.test(text)));
});
