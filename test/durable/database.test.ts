/** The door to Postgres: transactions, versions of tables, LISTEN, and a server that is killed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isServerLost, openDatabase, withoutPassword } from "../../src/durable/database.ts";
import { NutshellError } from "../../src/error.ts";
import { testDatabase, testServer } from "./test-database.ts";

async function until(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 5000; !holds(); await sleep(5)) {
    assert.ok(Date.now() < end, "it never came");
  }
}

test("a transaction is all or nothing, and its connection stays good", async () => {
  await using database = await testDatabase();
  await database.pool.query("create table t (n int)");
  await database.transaction((client) => client.query("insert into t values (1)"));
  const failing = database.transaction(async (client) => {
    await client.query("insert into t values (2)");
    throw new Error("no");
  });
  await assert.rejects(failing, /no/);
  const broken = database.transaction((client) => client.query("insert into nothing values (2)"));
  await assert.rejects(broken, { code: "42P01" });
  assert.deepEqual((await database.pool.query("table t")).rows, [{ n: 1 }]);
});

test("versions of tables run once each, in order, also when many start at once", async () => {
  await using a = await testDatabase();
  await using b = await openDatabase(a.url);
  const one = "create table t (n int); insert into t values (1)";
  const two = "update t set n = n * 10";
  await Promise.all([a, b, a, b].map((database) => database.migrate("part", [one, two])));
  await a.migrate("part", [one, two, "update t set n = n + 1"]);
  await a.migrate("other", ["insert into t values (5)"]);
  assert.deepEqual((await b.pool.query("select n from t order by n")).rows, [{ n: 5 }, { n: 11 }]);
  const where = await a.pool.query("select schemaname from pg_tables where tablename = 't'");
  assert.deepEqual(where.rows, [{ schemaname: "nutshell" }]);
});

test("a version that fails leaves nothing behind", async () => {
  await using database = await testDatabase();
  const versions = [
    "create table t (n int)",
    "create table u (n int); insert into nothing values (1)",
  ];
  await assert.rejects(database.migrate("part", versions), { code: "42P01" });
  const { rows } = await database.pool.query("select to_regclass('t') as t, to_regclass('u') as u");
  assert.deepEqual(rows, [{ t: null, u: null }]);
});

test("tables of a newer or another program are refused", async () => {
  await using database = await testDatabase();
  await database.migrate("part", ["create table t (n int)", "create table u (n int)"]);
  const older = database.migrate("part", ["create table t (n int)"]);
  await assert.rejects(older, /must not be newer than the program, got version 2.*knows 1/);
  const other = database.migrate("part", ["create table t (n int)", "create table w (n int)"]);
  await assert.rejects(other, /must be made by this program, got another version 2/);
});

test("notifications arrive, one handler's end is not the other's", async () => {
  await using database = await testDatabase();
  const heard: string[] = [];
  const first = await database.listen("a b", (payload) => heard.push(`first ${payload}`));
  await database.listen("a b", (payload) => heard.push(`second ${payload}`));
  const tell = (text: string): Promise<unknown> =>
    database.pool.query("select pg_notify('a b', $1)", [text]);
  await tell("1");
  await until(() => heard.length === 2);
  await first[Symbol.asyncDispose]();
  await tell("2");
  await until(() => heard.length === 3);
  assert.deepEqual(heard, ["first 1", "second 1", "second 2"]);
});

test("a killed server: queries are repeated, listeners hear of the gap", async () => {
  await using database = await testDatabase();
  const server = await testServer();
  const heard: (string | undefined)[] = [];
  await database.listen("news", (payload) => heard.push(payload));
  await database.pool.query("create table t (n int)");
  const before = server.pid as number;
  process.kill(before, "SIGKILL");
  const add = (n: number): Promise<unknown> =>
    database.retry(() => database.pool.query("insert into t values ($1)", [n]));
  while (server.pid === before) await add(1);
  await Promise.all([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13].map(add));
  await until(() => heard.length > 0);
  await database.pool.query("notify news, 'again'");
  await until(() => heard.length > 1);
  assert.deepEqual(heard, [undefined, "again"]);
  const { rows } = await database.pool.query("select count(distinct n)::int as n from t");
  assert.deepEqual(rows, [{ n: 13 }]);
});

test("a sleeper in a transaction loses it, and its locks with it", async () => {
  await using database = await testDatabase();
  await database.pool.query("create table t (n int); insert into t values (1)");
  const asleep = database.transaction(async (client) => {
    await client.query("set local idle_in_transaction_session_timeout = '100ms'");
    await client.query("update t set n = 2");
    await sleep(400);
    await client.query("update t set n = 3");
  });
  await assert.rejects(asleep, (error) => isServerLost(error));
  await database.pool.query("update t set n = n + 10");
  assert.deepEqual((await database.pool.query("table t")).rows, [{ n: 11 }]);
  const shown = await database.pool.query("show idle_in_transaction_session_timeout");
  assert.deepEqual(shown.rows, [{ idle_in_transaction_session_timeout: "5s" }]);
});

test("who cannot get in is told so in one line, without the password", async () => {
  await using database = await testDatabase();
  const wrong = database.url.replace(/:[^:@]*@/, ":geheim@");
  await assert.rejects(openDatabase(wrong), (error) => {
    assert.ok(error instanceof NutshellError && error.code === "DATABASE");
    assert.match(
      error.message,
      /^postgresql:\/\/nutshell@127.*password authentication failed.*DATABASE_URL/,
    );
    assert.doesNotMatch(error.message, /geheim|\n/);
    return true;
  });
  assert.equal(
    withoutPassword("postgres://a:b@h/d?password=c&x=1"),
    "postgres://a@h/d?password=…&x=1",
  );
});

test("what a lost server is", () => {
  const coded = (code: string): Error => Object.assign(new Error("x"), { code });
  for (const code of ["57P01", "57P03", "08006", "ECONNREFUSED"])
    assert.ok(isServerLost(coded(code)));
  for (const code of ["23505", "42P01", "ENOENT"]) assert.ok(!isServerLost(coded(code)));
  assert.ok(isServerLost(new Error("Connection terminated unexpectedly")));
  assert.ok(!isServerLost("ECONNREFUSED"));
});
