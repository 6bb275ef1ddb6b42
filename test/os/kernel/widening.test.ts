/**
 * What a hostile process does to have more than it was given: more rights, more time, more budget,
 * more urgency, or a life that nobody can end. Each is a way that once was open.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../../../src/durable/database.ts";
import type { Kernel, Ticket } from "../../../src/os/kernel/kernel.ts";
import type { KernelOptions } from "../../../src/os/kernel/options.ts";
import type { Program, SpawnRequest, Sys } from "../../../src/os/kernel/process.ts";
import { labelOf } from "../../../src/os/security/label.ts";
import { type Json, labelled } from "../../../src/os/security/labelled.ts";
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
let skewMs = 0;
const paid: Json[] = [];

const odd = [1e300, -1000, 1.5, Number.NaN, Number.POSITIVE_INFINITY];
const costOf = (args: Json) => ({
  tokens: odd[(args as { value: number }).value] as number,
});

const syscalls: KernelOptions["syscalls"] = [
  row("test.note", "idempotent", async () => ({ value: null })),
  row("test.costly", "idempotent", async ({ value }) => ({ value: null, cost: costOf(value) }), {
    cost: costOf,
  }),
  row(
    ...(["test.pay", "irreversible"] as const),
    async ({ value }) => {
      paid.push((value as { value: Json }).value);
      return { value: "paid" };
    },
    { access: "write", sinks: { value: "content" } },
  ),
  row("test.put", "idempotent", async () => ({ value: null }), {
    ...{ access: "write", sinks: { value: "path" } },
  }),
];

const spawnChild = (sys: Sys, more: Partial<SpawnRequest>): ReturnType<typeof ask> =>
  ask(sys, "process.spawn", { program: "sleeper", input: null, ...more } as unknown as Json);

const programs: Readonly<Record<string, Program>> = {
  sleeper: async (sys) => typed(codeOf(await ask(sys, "time.sleep", { ms: 60_000 }))),
  /** Notes a text, then waits. */
  odd: async (sys) => {
    await ask(sys, "test.note", { value: sys.input.value });
    return typed(codeOf(await ask(sys, "time.sleep", { ms: 60_000 })));
  },
  hands: async (sys) => {
    const pid = okValue(await spawnChild(sys, { capabilities: [{ call: "time.*" }] }));
    const right = { call: "test.note" };
    okValue(await ask(sys, "process.grant", { pid, capability: right }));
    return typed(pid);
  },
  stuffs: async (sys) => {
    const limits = { capabilities: [{ call: "time.*" }] };
    const pid = okValue(await spawnChild(sys, limits));
    const codes: string[] = [];
    for (const letter of "abcd") {
      const where = { value: { oneOf: [letter.repeat(300_000)] } };
      const args = { pid, capability: { call: "test.note", where } } as unknown as Json;
      codes.push(codeOf(await ask(sys, "process.grant", args)));
    }
    return typed(codes);
  },
  steered: async (sys) => {
    const wide = await spawnChild(sys, { budget: { influenceBits: 1000 } });
    const same = await spawnChild(sys, { budget: { influenceBits: 16 } });
    return typed([codeOf(wide), codeOf(same)]);
  },
  urgent: async (sys) => typed(okValue(await spawnChild(sys, { interactive: true }))),
  /** Forks, and both sides call as long as they may; the first one says what it could. */
  forks: async (sys) => {
    okValue(await ask(sys, "process.fork", {}));
    let made = 0;
    while (codeOf(await ask(sys, "test.note", {})) === "ok") made += 1;
    return typed(made);
  },
  spends: async (sys) => {
    const codes: string[] = [];
    for (const i of [1, 2, 3, 0, 4, 1, 2])
      codes.push(codeOf(await ask(sys, "test.costly", { value: i })));
    return typed(codes);
  },
  putter: async (sys) => typed(codeOf(await ask(sys, "test.put", { value: "/data/x" }))),
  naps: async (sys) => {
    const slept = codeOf(await ask(sys, "time.sleep", { ms: 250 }));
    return typed([slept, codeOf(await ask(sys, "test.note", {}))]);
  },
  payer: async (sys) => {
    const pc = labelOf("origin:evil.example");
    return typed(codeOf(await sys.call("test.pay", labelled({ value: sys.input.value }, pc), pc)));
  },
};

before(async () => {
  database = await testDatabase();
  kernel = await boot(database, programs, {
    ...{ syscalls, approvalMs: 60_000, now: () => Date.now() + skewMs },
  });
});
after(async () => {
  for (const { pid } of await kernel.processes()) await kernel.signal(pid, "KILL");
  await kernel[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function ticketOf(pid: number): Promise<Ticket> {
  for (;;) {
    const [found] = await kernel.tickets({ pid });
    if (found !== undefined) return found;
    await sleep(5);
  }
}

for (const text of ["a\0b", "\ud800", "\udc00 alone"]) {
  test(`a process that wrote ${JSON.stringify(text)} can be killed`, async () => {
    const input = typed(text);
    const pid = await kernel.spawn({ program: "odd", input, capabilities: everything });
    while ((await kernel.process(pid))?.current !== "time.sleep") await sleep(5);
    assert.deepEqual(await kernel.signal(pid, "KILL"), [pid]);
    assert.equal((await kernel.wait(pid)).how, "killed");
  });
}

test("a right that is handed on ends when one's own does", async () => {
  const expires = Date.now() + 100_000;
  const waits = { call: "time.*" };
  const capabilities = [{ call: "process.*" }, waits, { call: "test.*", expires }];
  const child = returned(await runToEnd(kernel, "hands", { capabilities })) as number;
  const held = (await kernel.process(child))?.capabilities;
  assert.deepEqual(held, [waits, { call: "test.note", expires }]);
});

test("rights have an end, however small each is", async () => {
  const codes = returned(await runToEnd(kernel, "stuffs"));
  assert.deepEqual(codes, ["ok", "ok", "ok", "CAPABILITY"]);
});

test("a child is not given more bits of influence than its parent has by default", async () => {
  assert.deepEqual(returned(await runToEnd(kernel, "steered")), ["BUDGET", "ok"]);
});

test("a child of batch work is batch work", async () => {
  const child = returned(await runToEnd(kernel, "urgent")) as number;
  assert.equal((await kernel.process(child))?.interactive, false);
});

test("a process and its forks have one budget together", async () => {
  const pid = await kernel.spawn({
    ...{ program: "forks", input: typed(null), capabilities: everything, budget: { calls: 21 } },
  });
  await kernel.wait(pid);
  const all = await kernel.processes({ all: true });
  const mine = all.filter(({ group }) => group === pid);
  assert.equal(mine.length, 2);
  const exits = await Promise.all(mine.map((one) => kernel.wait(one.pid)));
  const made = exits.map((exit) => returned(exit) as number);
  assert.ok((made[0] as number) + (made[1] as number) <= 20, `made ${made}`);
});

test("a cost that is no number of anything neither gives back nor breaks anything", async () => {
  const free = ["ok", "ok", "ok", "ok", "ok", "ok", "ok"];
  assert.deepEqual(returned(await runToEnd(kernel, "spends")), free);
  const pid = await kernel.spawn({
    ...{ program: "spends", input: typed(null), capabilities: everything, budget: { tokens: 10 } },
  });
  const codes = returned(await kernel.wait(pid));
  assert.deepEqual(codes, ["ok", "ok", "ok", "BUDGET", "BUDGET", "ok", "ok"]);
  assert.equal((await kernel.process(pid))?.spent.tokens, 4);
});

test("a right that ends while a person is asked is gone", async () => {
  const capabilities = [{ call: "test.pay", expires: Date.now() + 30_000 }];
  const pid = await kernel.spawn({ program: "payer", input: typed(1), capabilities });
  const { id } = await ticketOf(pid);
  skewMs += 40_000;
  await kernel.answer(id, { kind: "grant" });
  assert.equal(returned(await kernel.wait(pid)), "CAPABILITY");
  assert.deepEqual(paid, []);
});

test("an approval does not outlast its time in a stopped process", async () => {
  const pid = await kernel.spawn({ program: "payer", input: typed(2), capabilities: everything });
  const { id } = await ticketOf(pid);
  await kernel.signal(pid, "STOP");
  await kernel.answer(id, { kind: "grant" });
  await sleep(150);
  skewMs += 61_000;
  await kernel.signal(pid, "CONT");
  assert.equal(returned(await kernel.wait(pid)), "APPROVAL");
  assert.deepEqual(paid, []);
});

test("time that ends in a stop is an outcome as any other", async () => {
  const pid = await kernel.spawn({
    ...{ program: "naps", input: typed(null), capabilities: everything, budget: { ms: 600 } },
  });
  while ((await kernel.process(pid))?.current !== "time.sleep") await sleep(5);
  await kernel.signal(pid, "STOP");
  assert.deepEqual(returned(await kernel.wait(pid)), ["ok", "BUDGET"]);
});

test("a child that is born while a right is taken back has it not", async () => {
  const parent = await kernel.spawn({
    ...{ program: "sleeper", input: typed(null) },
    capabilities: [{ call: "process.*" }, { call: "test.*" }],
  });
  const client = await database.pool.connect();
  await client.query("begin");
  await client.query("select from process where pid = $1 for no key update", [parent]);
  const revoked = kernel.revoke(parent, "test.*");
  await sleep(100);
  const { rows } = await client.query<{ pid: number }>(
    `insert into process (parent, path, grp, program, title, owner, input, pc, nice, interactive,
       capabilities, approvals, file_tree, started_at)
     select pid, path || 1000000, grp, program,
       title, owner, input, pc, nice, interactive, capabilities, approvals, 'proc:x', started_at
     from process where pid = $1 returning pid, path`,
    [parent],
  );
  await client.query("commit");
  client.release();
  assert.equal(await revoked, 2);
  const child = await kernel.process(rows[0]?.pid ?? 0);
  assert.deepEqual(child?.capabilities, [{ call: "process.*" }]);
});

test("a right to a place that has ended names it no more, whatever else covers the call", async () => {
  const code = async (expires: number) => {
    const place = { call: "test.put", where: { value: { under: "/data" } }, expires };
    const capabilities = [{ call: "test.*" }, place];
    return returned(await runToEnd(kernel, "putter", { capabilities }));
  };
  const now = Date.now() + skewMs;
  assert.deepEqual([await code(now + 60_000), await code(now - 1)], ["ok", "POLICY"]);
});
