/**
 * A daemon as its user meets it: booted, asked from other terminals, killed, booted again. The model
 * is the one that ships; plans stand in for what only a larger one could think of.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ProcessRecord } from "../../../src/os/kernel/process.ts";

const main = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "nutshell-daemon-"));
const env = { ...process.env, NUTSHELL_HOME: join(folder, "home"), DATABASE_URL: "" };

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function nutshell(...words: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [main, ...words],
      { env, timeout: 60_000 },
      (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }),
    );
    child.stdin?.end();
  });
}

async function ask<T>(...words: readonly string[]): Promise<T> {
  const { code, out, err } = await nutshell(...words, "--json");
  assert.equal(code, 0, err);
  return JSON.parse(out) as T;
}

function plan(text: string): string {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.ts`);
  writeFileSync(path, text);
  return path;
}

async function stateOf(pid: number): Promise<string | undefined> {
  const rows = await ask<ProcessRecord[]>("ps", "--all");
  return rows.find((row) => row.pid === pid)?.state;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < 100; look++) {
    if (await holds()) return;
    await sleep(100);
  }
  assert.fail(what);
}

let daemon = 0;

async function boot(): Promise<void> {
  daemon = (await ask<{ pid: number }>("boot", "--detach")).pid;
}

before(async () => {
  chmodSync(folder, 0o755);
  await boot();
});

after(async () => {
  await nutshell("shutdown");
  await until("the daemon ends", async () => !isAlive(daemon));
  rmSync(folder, { recursive: true, force: true });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("a goal in plain language, and what was done for it", async () => {
  const { code, out, err } = await nutshell("run", "What is 17 * 23?");
  assert.equal(code, 0, err);
  assert.match(out, /391/);
  const [row] = await ask<ProcessRecord[]>("ps", "--all");
  const { out: trace } = await nutshell("strace", String(row?.pid));
  assert.match(
    trace,
    /calculator\.evaluate\(\{"expression":"17\*23"\}\) \[trusted allow\] = "391"/,
  );
  assert.match((await nutshell("mem", String(row?.pid))).out, /instruction .* yes /);
  assert.match((await nutshell("log", "verify")).out, /every chain holds/);
});

test("what needs a yes waits for it, and why says so", async () => {
  const workspace = join(folder, "work");
  mkdirSync(workspace, { recursive: true });
  writeFileSync(join(workspace, "notes.txt"), "drafts/plan.txt");
  const file = plan(`const name = (await files.read({ path: "notes.txt" })).text;
    await files.write({ path: name, text: "done" });
    return name;`);
  const { pid } = await ask<{ pid: number }>(
    "run",
    "--plan",
    file,
    "--workspace",
    workspace,
    "--detach",
  );
  let tickets: { id: number; pid: number }[] = [];
  await until("a ticket", async () => {
    tickets = await ask<{ id: number; pid: number }[]>("approve");
    return tickets.length === 1;
  });
  assert.match((await nutshell("approve")).out, /path/);
  const rows = await ask<ProcessRecord[]>("ps");
  assert.deepEqual(rows.find((row) => row.pid === pid)?.budget, { calls: 10_000 });
  assert.equal((await nutshell("approve", String(tickets[0]?.id))).code, 0);
  const { exit } = await ask<{ exit: { value: string } }>("wait", String(pid));
  assert.equal(exit.value, "drafts/plan.txt");
  assert.equal(readFileSync(join(workspace, "drafts/plan.txt"), "utf8"), "done");
  assert.match((await nutshell("why", String(pid), "2")).out, /path.*file/);
});

test("processes stop, go on, fork, outlive their daemon, and are killed", async () => {
  const { pid } = await ask<{ pid: number }>(
    ...["run", "--plan", plan("await time.sleep({ ms: 600000 });\nreturn 1;"), "--detach"],
  );
  await until("it sleeps", async () => (await stateOf(pid)) === "waiting");
  assert.equal((await nutshell("pause", String(pid))).out, `STOP ${pid}\n`);
  assert.equal(await stateOf(pid), "stopped");
  process.kill(daemon, "SIGKILL");
  await until("it is dead", async () => !isAlive(daemon));
  assert.match((await nutshell("ps")).err, /no daemon listens/);
  await boot();
  assert.equal(await stateOf(pid), "stopped");
  await nutshell("resume", String(pid));
  await until("it sleeps on", async () => (await stateOf(pid)) === "waiting");
  const { pid: fork } = await ask<{ pid: number }>("fork", String(pid));
  assert.deepEqual((await ask<{ pids: number[] }>("kill", String(pid))).pids, [pid]);
  await until("it is gone", async () => (await stateOf(pid)) === "dead");
  assert.equal(await stateOf(fork), "waiting");
  const killed = await nutshell("wait", String(pid));
  assert.equal(killed.code, 1);
  assert.match(killed.err, /ended by KILL/);
  await nutshell("kill", String(fork));
  assert.match((await nutshell("grant", String(pid), "files.read")).err, /a process must live/);
  const limit = '{"path":{"below":"/"}}';
  const unlike = await nutshell("grant", String(pid), "files.read", "--where", limit);
  assert.match(unlike.err, /known limits/);
});

test("a shell answers line by line, and its commands begin with a slash", async () => {
  const child = execFile(process.execPath, [main, "sh"], { env, timeout: 60_000 });
  let out = "";
  child.stdout?.on("data", (text: string) => {
    out += text;
  });
  child.stdin?.end("What is 6 * 7?\n/ps --all\nexit\n");
  await new Promise((resolve) => child.once("close", resolve));
  assert.match(out, /42[\s\S]*PID +STATE/);
});

const refused: readonly [words: readonly string[], code: number, message: RegExp][] = [
  [["run"], 2, /needs a goal or --plan/],
  [["run", "x", "--app", "nobody"], 1, /MANIFEST app "nobody": none has this name/],
  [["run", "x", "--workspace", "/nowhere"], 2, /must be a folder, got \/nowhere \(ENOENT\)/],
  [["kill", "99999"], 1, /PROCESS .*99999/],
  [["strace", "x"], 2, /PID must be a number, got x/],
  [["boot", "--detach"], 2, /one daemon per home/],
  [["boot", "--model", "/nowhere"], 2, /one daemon per home/],
];

test("what cannot be done is one line", async () => {
  for (const [words, code, message] of refused) {
    const ran = await nutshell(...words);
    assert.equal(ran.code, code, `${words.join(" ")}: ${ran.err}`);
    assert.match(ran.err, message);
    assert.equal(ran.err.trimEnd().split("\n").length, 1, ran.err);
  }
  const malformed = await nutshell("run", "--plan", plan("while (true) {}"));
  assert.match(malformed.err, /^PLAN plan 1:1: /);
});
