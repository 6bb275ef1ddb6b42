/** Beats and who is buried when. A freeze is real: the thread sleeps, and the clock does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../../src/durable/database.ts";
import { type Guard, guardVersions, startGuard } from "../../src/durable/guard.ts";
import { testDatabase } from "./test-database.ts";

const STALE_MS = 300;

interface Watched {
  readonly guard: Guard;
  readonly buried: string[];
  readonly notices: string[];
}

async function watch(database: Database, id: string): Promise<Watched> {
  await database.migrate("durable", guardVersions);
  const [buried, notices]: [string[], string[]] = [[], []];
  const takeOver = async (dead: string): Promise<number> => buried.push(dead);
  const notice = (text: string): unknown => notices.push(text);
  const guard = await startGuard({ database, id, staleMs: STALE_MS, takeOver, notice });
  return { guard, buried, notices };
}

async function namesIn(database: Database): Promise<string[]> {
  const { rows } = await database.pool.query("select id from executor_beat order by id");
  return rows.map(({ id }) => id);
}

/** The process does nothing at all, as under SIGSTOP. */
function freeze(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const silent = "insert into executor_beat values ($1, 'old', now() - interval '1 hour')";

test("who is silent is buried once, who beats is not, who leaves gives all away at once", async () => {
  await using database = await testDatabase();
  const [a, b] = await Promise.all([watch(database, "a"), watch(database, "b")]);
  await database.pool.query(silent, ["dead"]);
  while (a.buried.length + b.buried.length === 0) await sleep(10);
  await sleep(STALE_MS);
  assert.deepEqual([...a.buried, ...b.buried], ["dead"]);
  assert.deepEqual(await namesIn(database), ["a", "b"]);
  await a.guard.stop();
  while (b.buried.length === 0 || b.buried.at(-1) !== "a") await sleep(10);
  assert.match(b.notices.at(-1) ?? "", /^executor a: it has left; \d of its processes go on/);
  assert.deepEqual(await namesIn(database), ["b"]);
  await b.guard.stop();
});

test("who was declared dead and wakes has lost what it began, and goes on afresh", async () => {
  await using database = await testDatabase();
  const { guard, notices } = await watch(database, "a");
  const before = guard.generation;
  assert.equal(await guard.confirm(before), true);
  await database.pool.query("delete from executor_beat");
  freeze(STALE_MS);
  assert.equal(await guard.confirm(before), false);
  assert.notEqual(guard.generation, before);
  assert.equal(await guard.confirm(guard.generation), true);
  assert.deepEqual(await namesIn(database), ["a"]);
  assert.match(notices.join("\n"), /executor a: was silent and declared dead/);
  await guard.stop();
});

test("a freeze that nobody noticed takes nothing away", async () => {
  await using database = await testDatabase();
  const { guard } = await watch(database, "a");
  const before = guard.generation;
  freeze(2 * STALE_MS);
  assert.equal(await guard.confirm(before), true);
  await guard.stop();
});

test("after a freeze of ours the others get their time before they are buried", async () => {
  await using database = await testDatabase();
  const { guard, buried } = await watch(database, "a");
  await sleep(STALE_MS * 1.5);
  await database.pool.query(silent, ["frozen with us"]);
  freeze(STALE_MS);
  const start = performance.now();
  while (buried.length === 0) await sleep(10);
  assert.ok(performance.now() - start > STALE_MS * 0.9, `${performance.now() - start} ms`);
  await guard.stop();
});

test("of two with one name the later has it, for good", async () => {
  await using database = await testDatabase();
  const first = await watch(database, "a");
  const second = await watch(database, "a");
  await sleep(STALE_MS);
  assert.equal(first.guard.generation, undefined);
  assert.equal(await first.guard.confirm(first.guard.generation), false);
  assert.match(first.notices.join("\n"), /another daemon has this name/);
  assert.equal(await second.guard.confirm(second.guard.generation), true);
  await first.guard.stop();
  assert.deepEqual(await namesIn(database), ["a"]);
  await second.guard.stop();
});
