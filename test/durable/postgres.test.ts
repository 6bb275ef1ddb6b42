/** A private Postgres through its life: made, shared, killed, found again, torn, full. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { findBinaries, tryUnreachable } from "../../src/durable/binaries.ts";
import { openDatabase } from "../../src/durable/database.ts";
import { startPostgres } from "../../src/durable/postgres.ts";
import { isSameProcess, processMark } from "../../src/durable/process-mark.ts";
import { findServer } from "../../src/durable/server-process.ts";
import { NutshellError } from "../../src/error.ts";
import { clusterFolder, copyOfCluster } from "./test-database.ts";

const quick = { durable: false, url: undefined };

async function ask(url: string, text: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    return Object.values((await client.query(text)).rows[0])[0];
  } finally {
    await client.end();
  }
}

function throwsDatabase(pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof NutshellError, String(error));
    assert.equal(error.code, "DATABASE");
    assert.match(error.message, pattern);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  };
}

async function hold(dir: string): Promise<{ holder: ChildProcess; pid: number; url: string }> {
  const path = join(import.meta.dirname, "server-holder.ts");
  const holder = spawn(process.execPath, [path, dir], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(holder.stdout as NodeJS.ReadableStream, "data");
  return { holder, ...JSON.parse(line) };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

test("a new cluster lets in who knows its password, and nobody else", async () => {
  const dir = clusterFolder();
  await using server = await startPostgres({ dir, ...quick });
  assert.equal(server.source, "npm");
  assert.equal(await ask(server.url, "select current_database()"), "nutshell");
  const port = new URL(server.url).port;
  const strangers = [`postgresql://nutshell:wrong@127.0.0.1:${port}/nutshell`];
  strangers.push(
    `postgresql://nutshell:wrong@/nutshell?host=${encodeURIComponent(dir)}&port=${port}`,
  );
  for (const stranger of strangers) {
    await assert.rejects(ask(stranger, "select 1"), { code: "28P01" });
  }
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  assert.equal(statSync(join(dir, "cluster/password")).mode & 0o777, 0o600);
  const socket = server.url.replace(
    /@.*/,
    `@/nutshell?host=${encodeURIComponent(dir)}&port=${port}`,
  );
  assert.equal(await ask(socket, "select 1"), 1);
});

test("three who make and start one cluster at once share it; the last one ends it", async () => {
  const dir = clusterFolder();
  const [a, b, { holder, pid }] = await Promise.all([
    startPostgres({ dir, ...quick }),
    startPostgres({ dir, ...quick }),
    hold(dir),
  ]);
  assert.deepEqual([a.pid, b.pid, a.url], [pid, pid, b.url]);
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.startsWith("making-")),
    [],
  );
  const mark = processMark(pid);
  await a.stop();
  await b.stop();
  assert.equal(await ask(a.url, "select 1"), 1); // one of them still uses it
  await kill(holder);
  await (await startPostgres({ dir, ...quick })).stop();
  assert.equal(isSameProcess(mark), false);
});

test("a server outlives its killed parent and is found again; its port stays", async () => {
  const dir = await copyOfCluster();
  const { holder, pid, url } = await hold(dir);
  await kill(holder);
  const next = await startPostgres({ dir, ...quick });
  assert.deepEqual([next.pid, next.url], [pid, url]);
  const mark = processMark(pid);
  await next.stop();
  assert.equal(isSameProcess(mark), false);
  await using later = await startPostgres({ dir, ...quick });
  assert.equal(later.url, url);
});

test("a killed server is back within a second, for its pools too", async () => {
  const dir = await copyOfCluster();
  const notices: string[] = [];
  const notice = (text: string): unknown => notices.push(text);
  await using server = await startPostgres({ dir, ...quick, notice });
  await using database = await openDatabase(server.url);
  await database.pool.query("create table t (n int)");
  await database.pool.query("insert into t values (1)");
  const before = server.pid as number;
  const start = performance.now();
  process.kill(before, "SIGKILL");
  while (server.pid === before) await sleep(5);
  const rows = await database.retry(async () => (await database.pool.query("table t")).rows);
  const seconds = (performance.now() - start) / 1000;
  assert.deepEqual(rows, [{ n: 1 }]);
  assert.ok(seconds < 3, `${seconds} s`);
  assert.match(notices.join("\n"), /is gone.*\n.*is back/);
});

test("a cluster torn in its making is made anew", async () => {
  const dir = clusterFolder();
  const torn = join(dir, "making-999999.1-abcd1234");
  mkdirSync(join(torn, "data"), { recursive: true });
  writeFileSync(join(torn, "data/PG_VERSION"), "18\n");
  const path = join(import.meta.dirname, "server-holder.ts");
  const holder = spawn(process.execPath, [path, dir], { stdio: "ignore" });
  const isMaking = (): boolean => {
    const making = readdirSync(dir).find((name) => name.startsWith("making-"));
    return (
      making !== undefined &&
      existsSync(join(dir, making, "data/PG_VERSION")) &&
      making !== "making-999999.1-abcd1234"
    );
  };
  while (!isMaking()) await sleep(5);
  await kill(holder);
  assert.equal(existsSync(join(dir, "cluster")), false);
  await using server = await startPostgres({ dir, ...quick });
  assert.equal(await ask(server.url, "select 1"), 1);
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.startsWith("making-")),
    [],
  );
});

test("a lock file that names somebody else's process is no server", async () => {
  const dir = await copyOfCluster();
  const stale = `${process.pid}\n${dir}/cluster/data\n1\n5432\n${dir}\n127.0.0.1\n1 2\nready   \n`;
  writeFileSync(join(dir, "cluster/data/postmaster.pid"), stale);
  const server = await startPostgres({ dir, ...quick });
  assert.notEqual(server.pid, process.pid);
  assert.equal(await ask(server.url, "select 1"), 1);
  await server.stop();
  writeFileSync(join(dir, "cluster/data/postmaster.pid"), ""); // a full disk at its start
  utimesSync(join(dir, "cluster/data/postmaster.pid"), 1, 1);
  await using again = await startPostgres({ dir, ...quick });
  assert.equal(await ask(again.url, "select 1"), 1);
});

test("a lock file stays while its server's memory is in use", async () => {
  const [dir, other] = [await copyOfCluster(), clusterFolder()];
  await using _server = await startPostgres({ dir, ...quick });
  const text = readFileSync(join(dir, "cluster/data/postmaster.pid"), "utf8");
  const path = join(other, "postmaster.pid");
  const cluster = { dir: other, data: other, log: "", password: "" };
  for (const [memory, stays] of [
    [text.split("\n")[6], true],
    ["1 999999", false],
  ] as const) {
    writeFileSync(path, `${process.pid}\n${text.split("\n").slice(1, 6).join("\n")}\n${memory}\n`);
    assert.equal(findServer(cluster), undefined);
    assert.equal(existsSync(path), stays, memory);
  }
});

test("the system's programs do where npm's are missing", async (t) => {
  const dir = clusterFolder();
  const found = await findBinaries({ folder: dir, owner: {}, source: "debian" }).catch(
    () => undefined,
  );
  if (found === undefined) return t.skip("no Postgres of the system: apt-get install postgresql");
  await using server = await startPostgres({ dir, durable: false, source: "debian" });
  assert.equal(server.source, "debian");
  const version = readFileSync(join(dir, "cluster/data/PG_VERSION"), "utf8").trim();
  assert.equal(String(await ask(server.url, "show server_version")).split(".")[0], version);
  assert.equal(Number(version), found.major);
});

test("without programs that fit, one line says what to install", async () => {
  const search = { folder: clusterFolder(), owner: {}, major: 9 };
  const said =
    /Postgres 9, which made the cluster.*version 18.*setup\.mjs.*postgresql-9.*DATABASE_URL/;
  await assert.rejects(findBinaries(search), throwsDatabase(said));
});

test("a full disk is one line, and no half-made cluster", async (t) => {
  const dir = clusterFolder();
  const mount = ["-t", "tmpfs", "-o", "size=4m,mode=755", "nutshell-test", dir];
  if (spawnSync("mount", mount).status !== 0) return t.skip("mounting a small disk is not allowed");
  t.after(() => spawnSync("umount", [dir]));
  await assert.rejects(
    startPostgres({ dir, ...quick }),
    throwsDatabase(/No space left.*free some space/),
  );
  assert.deepEqual(
    readdirSync(dir).filter((name) => /making|cluster/.test(name)),
    [],
  );
});

test("root's server must be reachable for the user it runs as", () => {
  assert.equal(tryUnreachable("/proc/1/fd/x", { uid: 65534 }) !== undefined, true);
  assert.equal(tryUnreachable("/tmp/x", { uid: 65534 }), undefined);
  assert.equal(tryUnreachable("/proc/1/fd/x", {}), undefined);
});

test("a given server is used as it is, and what is no address is refused", async () => {
  const url = "postgres://ada:secret@127.0.0.1:1/db";
  const given = await startPostgres({ dir: "/nowhere", url });
  assert.deepEqual([given.url, given.source, given.pid], [url, "DATABASE_URL", undefined]);
  await given.stop();
  const wrong = startPostgres({ dir: "/nowhere", url: "mysql://secret@db" });
  await assert.rejects(wrong, throwsDatabase(/must begin with postgresql:/));
});

test("a process's mark is its own", () => {
  assert.equal(isSameProcess(processMark()), true);
  assert.equal(isSameProcess(`${process.pid}.1`), process.platform !== "linux");
  assert.equal(isSameProcess("999999.1"), false);
});
