/**
 * Children on the machine: whatever they do to be forgotten, they end with their process, also
 * when the daemon that started them is gone. The oracle is `ps`.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../../../src/durable/database.ts";
import { createHostProcesses, type HostProcesses } from "../../../src/os/kernel/host-process.ts";
import { kernelVersions } from "../../../src/os/kernel/schema.ts";
import { testDatabase } from "../../durable/test-database.ts";

let database: Database;
let host: HostProcesses;

before(async () => {
  database = await testDatabase();
  await database.migrate("kernel", kernelVersions);
  host = createHostProcesses(database);
  await insertProcess(1);
});
after(() => database[Symbol.asyncDispose]());

async function insertProcess(pid: number): Promise<void> {
  await database.pool.query(
    `insert into process (pid, path, grp, program, title, owner, input, pc, nice, interactive,
       capabilities, approvals, file_tree, started_at) overriding system value
     values ($1, array[$1::int], $1, 'p', 'p', 'o', '{}', '{}', 0, false, '[]', 'wait', 't', 0)`,
    [pid],
  );
}

function onHost(word: string): number {
  const lines = execFileSync("ps", ["-eo", "stat=,args="], { encoding: "utf8" }).split("\n");
  return lines.filter((line) => line.includes(word) && !line.startsWith("Z")).length;
}

async function grown(word: string, count: number): Promise<void> {
  while (onHost(word) < count) await sleep(10);
}

const ways: readonly (readonly [name: string, script: string, count: number])[] = [
  ["a plain child", "sleep WORD; :", 1],
  ["a session of its own", "setsid sleep WORD & sleep WORD", 2],
  ["two forks, no parent left", "(setsid sh -c 'sleep WORD & :' &)", 1],
  ["nohup, deaf to signals", "trap '' TERM INT HUP; nohup sleep WORD > /dev/null 2>&1", 1],
  ["without its mark, but with its parent", "env -i sleep WORD & sleep WORD", 2],
  ["without its mark, but in its session", "(env -i sleep WORD &) ; sleep WORD", 2],
  ["one that starts others for ever", "while :; do sleep WORD & sleep 0.01; done", 5],
];
for (const [index, [name, script, count]] of ways.entries()) {
  test(`${name} ends with its process`, async () => {
    const word = `7${index}77.${process.pid}`;
    const child = await host.spawn(1, "/bin/sh", ["-c", script.replaceAll("WORD", word)]);
    await grown(word, count);
    await host.kill([1]);
    assert.equal(onHost(word), 0);
    assert.ok(child.pid !== undefined);
    const { rows } = await database.pool.query("select from host_process");
    assert.equal(rows.length, 0);
  });
}

test("what a killed daemon leaves is ended by the next one that looks", async () => {
  const word = `8877.${process.pid}`;
  const file = join(import.meta.dirname, "host-owner.ts");
  const script = `setsid sleep ${word} & sleep ${word}`;
  const daemon = spawn(process.execPath, [file, database.url, script], { stdio: "inherit" });
  const [, signal] = await once(daemon, "close");
  assert.equal(signal, "SIGKILL");
  await grown(word, 2);
  assert.equal(await host.sweep(), 1);
  assert.equal(onHost(word), 0);
});

test("a shell of a living daemon and process is left alone; an ended process's is not", async () => {
  const word = `9977.${process.pid}`;
  await insertProcess(2);
  await host.spawn(2, "/bin/sleep", [word]);
  assert.equal(await host.sweep(), 0);
  assert.equal(onHost(word), 1);
  await database.pool.query("update process set ended_at = 1, state = 'dead' where pid = 2");
  assert.equal(await host.sweep(), 1);
  assert.equal(onHost(word), 0);
  await host.spawn(2, "/bin/sleep", [word]);
  assert.equal(onHost(word), 0, "who has ended starts nothing");
  await assert.rejects(host.spawn(1, "/no/such/program", []), /must start/);
});
