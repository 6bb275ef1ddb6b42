/** Mail that comes at the wrong moment is not lost, and a mailbox has an end. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../../../src/durable/database.ts";
import type { Kernel } from "../../../src/os/kernel/kernel.ts";
import type { Program } from "../../../src/os/kernel/process.ts";
import { toLabelledText } from "../../../src/os/kernel/process-row.ts";
import { fromUser } from "../../../src/os/security/label.ts";
import { toLabelJson } from "../../../src/os/security/label-json.ts";
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
} from "./test-kernel.ts";

let database: Database;
let kernel: Kernel;

const programs: Readonly<Record<string, Program>> = {
  twice: async (sys) => {
    const first = codeOf(await ask(sys, "mail.recv", {}));
    return typed([first, codeOf(await ask(sys, "mail.recv", { timeoutMs: 3000 }))]);
  },
  waits: async (sys) => typed(codeOf(await ask(sys, "mail.recv", {}))),
  floods: async (sys) => {
    const to = okValue(await ask(sys, "process.spawn", { program: "sleeps", input: null }));
    const codes: string[] = [];
    for (const body of ["one", "two", "three"]) {
      codes.push(codeOf(await ask(sys, "mail.send", { to, body })));
      await database.pool.query(
        `insert into mail (recipient, sender, key, body, root, sent_at)
         select $1, 0, gen_random_uuid()::text, '', '', 0 from generate_series(1, 500)`,
        [to],
      );
    }
    await ask(sys, "process.signal", { pid: to, signal: "KILL" });
    return typed(codes);
  },
  sleeps: async (sys) => typed(codeOf(await ask(sys, "time.sleep", { ms: 60_000 }))),
};

before(async () => {
  database = await testDatabase();
  kernel = await boot(database, programs);
});
after(async () => {
  await kernel[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function startWaiting(program: string): Promise<number> {
  const pid = await kernel.spawn({ program, input: typed(null), capabilities: everything });
  while ((await kernel.process(pid))?.current !== "mail.recv") await sleep(5);
  await sleep(50);
  return pid;
}

const letter = [toLabelledText(typed("hello")), JSON.stringify(toLabelJson(fromUser))];
const insert = `insert into mail (recipient, sender, key, body, root, sent_at)
  values ($1, 0, gen_random_uuid()::text, $2, $3, 0)`;

test("what comes while a signal ends the wait is there for the next one", async () => {
  const pid = await startWaiting("twice");
  const client = await database.pool.connect();
  await client.query("begin; lock table mail in access exclusive mode");
  await client.query(insert, [pid, ...letter]);
  // The wait looks, and is held up there until the signal has ended it.
  await database.pool.query("select pg_notify('kernel', $1)", [`${pid}`]);
  await sleep(50);
  await kernel.signal(pid, "INT");
  while (!(await kernel.journal(pid)).some(({ kind }) => kind === "result")) await sleep(5);
  await client.query("commit");
  client.release();
  assert.deepEqual(returned(await kernel.wait(pid)), ["INTERRUPTED", "ok"]);
});

test("a daemon that was frozen takes no mail for a call that ended elsewhere", async () => {
  const { pool } = database;
  const pid = await startWaiting("waits");
  await pool.query("update process set runner = 'another' where pid = $1", [pid]);
  await pool.query("select journal_append($1, 'result', 1, 0, '{}')", [pid]);
  await pool.query(insert, [pid, ...letter]);
  await pool.query("select pg_notify('kernel', $1)", [`${pid}`]);
  await sleep(100);
  const { rows } = await pool.query("select taken_by from mail where recipient = $1", [pid]);
  assert.deepEqual(rows, [{ taken_by: null }]);
  await kernel.signal(pid, "KILL");
});

test("a mailbox that nobody reads is full at some time", async () => {
  assert.deepEqual(returned(await runToEnd(kernel, "floods")), ["ok", "ok", "DEVICE"]);
});
