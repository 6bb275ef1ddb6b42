/**
 * Approvals, endorsements and questions: a person's word holds for the very call, once, in time,
 * and across restarts; a row that somebody edited approves nothing.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../../../src/durable/database.ts";
import type { Kernel, Ticket } from "../../../src/os/kernel/kernel.ts";
import type { KernelOptions } from "../../../src/os/kernel/options.ts";
import type { Program } from "../../../src/os/kernel/process.ts";
import { labelOf } from "../../../src/os/security/label.ts";
import { type Json, labelled } from "../../../src/os/security/labelled.ts";
import { testDatabase } from "../../durable/test-database.ts";
import { boot, codeOf, everything, returned, row, typed } from "./test-kernel.ts";

let database: Database;
let kernel: Kernel;
let skewMs = 0;
const done: Json[] = [];

const syscalls: KernelOptions["syscalls"] = [
  row(
    ...(["test.pay", "irreversible"] as const),
    async ({ value }) => {
      done.push((value as { value: Json }).value);
      return { value: "paid" };
    },
    { access: "write", sinks: { value: "content" } },
  ),
  row("test.ask", "idempotent", async ({ value }, { ask }) => ({ value: await ask(value) }), {
    waits: true,
  }),
];

/** Pays what its input says, twice, because a stranger's text told it to. */
const payer: Program = async (sys) => {
  const pc = labelOf("origin:evil.example");
  const pay = async (): Promise<string> => {
    const outcome = await sys.call("test.pay", labelled({ value: sys.input.value }, pc), pc);
    return codeOf(outcome);
  };
  return typed([await pay(), await pay()]);
};
const asker: Program = async (sys) => {
  const outcome = await sys.call("test.ask", typed({ value: "which?" }));
  return outcome.status === "ok" ? outcome.value : typed(codeOf(outcome));
};

const options = { syscalls, now: () => Date.now() + skewMs, approvalMs: 60_000 };
const restart = async (): Promise<void> => {
  await kernel[Symbol.asyncDispose]();
  kernel = await boot(database, { payer, asker }, options);
};

before(async () => {
  database = await testDatabase();
  kernel = await boot(database, { payer, asker }, options);
});
after(async () => {
  await kernel[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function startPaying(value: Json, approvals: "wait" | "deny" = "wait"): Promise<number> {
  const request = { program: "payer", input: typed(value), capabilities: everything, approvals };
  return kernel.spawn(request);
}

async function ticketOf(pid: number, after = 0): Promise<Ticket> {
  for (;;) {
    const found = (await kernel.tickets({ pid })).find(({ id }) => id > after);
    if (found !== undefined) return found;
    await sleep(5);
  }
}

test("a granted call is made once, and the next one alike needs a grant of its own", async () => {
  const pid = await startPaying(1);
  const first = await ticketOf(pid);
  assert.equal(first.kind, "approve");
  await restart();
  await kernel.answer(first.id, { kind: "grant" });
  const second = await ticketOf(pid, first.id);
  assert.deepEqual(done, [1]);
  await assert.rejects(kernel.answer(first.id, { kind: "grant" }), /must be open, got used/);
  await assert.rejects(kernel.answer(second.id, { kind: "happened" }), /takes grant or deny/);
  await kernel.answer(second.id, { kind: "deny" });
  assert.deepEqual(returned(await kernel.wait(pid)), ["ok", "APPROVAL"]);
  assert.deepEqual(done, [1]);
});

test("a row that was edited approves nothing: not its state, not what was sealed", async () => {
  const { pool } = database;
  const pid = await startPaying(2);
  const first = await ticketOf(pid);
  await pool.query("update ticket set state = 'granted' where id = $1", [first.id]);
  await pool.query("select pg_notify('kernel', $1)", [`${pid}`]);
  const second = await ticketOf(pid, first.id);
  await pool.query("update ticket set request = replace(request, '2', '3') where id = $1", [
    second.id,
  ]);
  await kernel.answer(second.id, { kind: "grant" });
  assert.deepEqual(returned(await kernel.wait(pid)), ["APPROVAL", "APPROVAL"]);
  assert.deepEqual(done, [1]);
});

test("another call's seal approves nothing", async () => {
  const { pool } = database;
  const [one, two] = [await startPaying(4), await startPaying(5)];
  const [mine, other] = [await ticketOf(one), await ticketOf(two)];
  await kernel.signal(two, "STOP");
  await kernel.answer(other.id, { kind: "grant" });
  await pool.query(
    "update ticket set state = 'granted', seal = (select seal from ticket where id = $2) where id = $1",
    [mine.id, other.id],
  );
  await pool.query("select pg_notify('kernel', $1)", [`${one}`]);
  await kernel.answer((await ticketOf(one, mine.id)).id, { kind: "deny" });
  assert.deepEqual(returned(await kernel.wait(one)), ["APPROVAL", "APPROVAL"]);
  await kernel.signal(two, "KILL");
  assert.deepEqual(done, [1]);
});

test("an answer that comes too late is none", async () => {
  const pid = await startPaying(6);
  const ticket = await ticketOf(pid);
  skewMs += 61_000;
  await assert.rejects(kernel.answer(ticket.id, { kind: "grant" }), /expired/);
  const next = await ticketOf(pid, ticket.id);
  await kernel.answer(next.id, { kind: "deny" });
  assert.deepEqual(returned(await kernel.wait(pid)), ["APPROVAL", "APPROVAL"]);
  assert.deepEqual(done, [1]);
});

test("where nobody may be asked, nobody is", async () => {
  const pid = await startPaying(7, "deny");
  assert.deepEqual(returned(await kernel.wait(pid)), ["APPROVAL", "APPROVAL"]);
  assert.deepEqual(await kernel.tickets({ pid, all: true }), []);
});

test("a question waits for its answer, across a restart", async () => {
  const pid = await kernel.spawn({ program: "asker", input: typed(1), capabilities: everything });
  const { id, kind } = await ticketOf(pid);
  assert.equal(kind, "question");
  await restart();
  await kernel.answer(id, { kind: "reply", text: "the blue one" });
  assert.equal(returned(await kernel.wait(pid)), "the blue one");
});
