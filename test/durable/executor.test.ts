/** Durable workflows in one process; what many processes do is in `npm run verify:cluster`. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../../src/durable/database.ts";
import { type Executor, launchExecutor, type Workflow } from "../../src/durable/executor.ts";
import { testDatabase, testServer } from "./test-database.ts";

const STALE_MS = 1000;

interface World {
  executor: Executor;
  /** Names of the steps that really ran, in order. */
  readonly ran: string[];
  readonly notices: string[];
}

// One for all tests: DBOS makes its tables once. Each test has its own ids.
const database: Database = await testDatabase();
after(() => database[Symbol.asyncDispose]());

/** @param make workflows, which need the executor that runs them */
async function launch(make: (world: World) => Record<string, Workflow>): Promise<World> {
  const world = { ran: [], notices: [] } as unknown as World;
  const notice = (text: string): unknown => world.notices.push(text);
  const workflows = make(world);
  const options = { database, id: "one", version: "1", workflows, staleMs: STALE_MS, notice };
  world.executor = await launchExecutor(options);
  return world;
}

function stepOf(world: World, name: string, ms = 0): Promise<string> {
  return world.executor.step(name, async () => {
    world.ran.push(name);
    await sleep(ms);
    return `${name}!`;
  });
}

const three = (world: World): Record<string, Workflow> => ({
  three: async (greeting: string) => {
    const said = [greeting];
    for (const name of ["a", "b", "c"]) said.push(await stepOf(world, name, 30));
    return said.join(" ");
  },
});

test("a run gives its result once, whoever starts it again", async () => {
  const world = await launch(three);
  await using executor = world.executor;
  await Promise.all([executor.start("three", "w1", ["hi"]), executor.start("three", "w1", ["no"])]);
  assert.match(String(await executor.result("w1")), /^(hi|no) a! b! c!$/);
  await executor.start("three", "w1", ["again"]);
  await executor.result("w1");
  assert.deepEqual(world.ran, ["a", "b", "c"]);
});

test("a stop in the middle: the next executor of the name goes on where it was", async () => {
  const first = await launch(three);
  await first.executor.start("three", "w2", ["hi"]);
  while (first.ran.length < 2) await sleep(5);
  await first.executor.stop();
  const second = await launch(three);
  await using executor = second.executor;
  assert.equal(await executor.result("w2"), "hi a! b! c!");
  assert.deepEqual(second.ran, ["b", "c"]);
});

test("what a workflow throws is its result, and reaches the talk in one line", async () => {
  const world = await launch(() => ({
    fails: async () => {
      throw new Error("no\nway");
    },
  }));
  await using executor = world.executor;
  await executor.start("fails", "w4", []);
  await assert.rejects(executor.result("w4"), /no\nway/);
  assert.deepEqual(world.notices, ["durable: no way"]);
  await assert.rejects(executor.start("nothing", "v4", []), /got nothing. Known: fails\./);
});

test("the database dies in a step: it is repeated, the run ends as if nothing was", async () => {
  const server = await testServer();
  let kills = 0;
  const world = await launch((world) => ({
    counts: async () => {
      for (const n of [1, 2, 3]) {
        await world.executor.step(`add ${n}`, () =>
          database.transaction(async (client) => {
            await client.query("insert into t values ($1) on conflict do nothing", [n]);
            if (n === 2 && kills++ === 0) process.kill(server.pid as number, "SIGKILL");
            if (n === 2) await sleep(200);
            await client.query("select 1");
            return n;
          }),
        );
      }
      return "done";
    },
  }));
  await using executor = world.executor;
  await database.pool.query("create table t (n int primary key)");
  await executor.start("counts", "w5", []);
  assert.equal(await executor.result("w5"), "done");
  assert.deepEqual([kills, (await database.pool.query("table t")).rowCount], [2, 3]);
});

test("a run whose executor was declared dead begins no step more here", async () => {
  let opened = false;
  const world = await launch((world) => ({
    gated: async () => {
      await stepOf(world, "a");
      while (!opened) await sleep(5); // between two steps, where DBOS does not look
      return stepOf(world, "b", 50);
    },
  }));
  await using executor = world.executor;
  await executor.start("gated", "w6", []);
  while (world.ran.length < 1) await sleep(5);
  await database.pool.query("delete from executor_beat");
  // As a sweeper would: back into the queue, where we are the only one to take it.
  await executor.resume("w6");
  opened = true;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALE_MS * 0.6);
  assert.equal(await executor.result("w6"), "b!");
  assert.deepEqual(world.ran, ["a", "b"]);
});

test("schedules: made, listed, run by the clock, gone", async () => {
  const ticks: unknown[] = [];
  const world = await launch(() => ({
    tick: async (at: Date, context: unknown) => void ticks.push([at.getTime() % 1000, context]),
  }));
  await using executor = world.executor;
  const schedule = { name: "s", cron: "* * * * * *", workflow: "tick", context: { x: 1 } };
  await executor.schedule(schedule);
  await executor.schedule(schedule);
  assert.deepEqual(await executor.schedules(), [{ ...schedule, timeZone: "UTC" }]);
  while (ticks.length === 0) await sleep(20);
  assert.deepEqual(ticks[0], [0, { x: 1 }]);
  await executor.unschedule("s");
  assert.deepEqual(await executor.schedules(), []);
});

test("one executor in a process, and any number after each other", async () => {
  const world = await launch(three);
  await assert.rejects(launch(three), { code: "DATABASE", message: /must be alone/ });
  await world.executor.stop();
  await world.executor.stop();
});
