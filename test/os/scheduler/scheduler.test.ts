/**
 * The dispatcher over work that is scripted to the turn, so that each rare moment comes: who gets
 * the place, who gives up memory, who is taken back while what.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { NutshellError } from "../../../src/error.ts";
import type { Priority } from "../../../src/os/scheduler/policy.ts";
import {
  createScheduler,
  type PolicyName,
  policies,
  type Scheduler,
  type Slice,
  type Work,
} from "../../../src/os/scheduler/scheduler.ts";
import { simulate } from "./simulate.ts";

const QUANTUM = 10;
const batch: Priority = { nice: 0, interactive: false };

interface Scripted {
  readonly tokens?: number;
  readonly priority?: Priority;
  readonly signal?: AbortSignal;
  /** In place of so many tokens. */
  readonly work?: Work;
}

/** Processes whose turns are noted as they are given. */
function setUp(scheduler: Scheduler) {
  const turns: string[] = [];
  const ask = (pid: number, { tokens = 1, priority = batch, signal, work }: Scripted = {}) => {
    let left = tokens;
    const run = async (quantum: number): Promise<Slice> => {
      turns.push(`${pid}`);
      const served = Math.min(quantum, left);
      left -= served;
      return { tokens: served, done: left === 0 };
    };
    const note = (what: string) => async (): Promise<void> => void turns.push(`${what} ${pid}`);
    const request = { pid, lane: "a", priority, signal: signal ?? new AbortController().signal };
    return scheduler.serve(request, work ?? { run, close: note("close") });
  };
  return { turns, ask };
}

test("it takes the turns that the simulation takes", async () => {
  for (const policy of Object.keys(policies) as PolicyName[]) {
    const jobs = [
      { pid: 1, tokens: 95, priority: batch },
      { pid: 2, tokens: 31, priority: { nice: -7, interactive: false } },
      { pid: 3, tokens: 55, priority: { nice: 0, interactive: true } },
      { pid: 4, tokens: 77, priority: { nice: 5, interactive: false, deadline: 3 } },
    ];
    const { turns, ask } = setUp(createScheduler({ policy, quantum: QUANTUM, now: () => 0 }));
    await Promise.all(jobs.map(({ pid, ...job }) => ask(pid, job)));
    const chosen: string[] = [];
    const processes = jobs.map(({ pid, priority, tokens }) => ({
      ...{ pid, priority, startsAt: 0, requests: [{ tokens, thinkMs: 0 }] },
    }));
    simulate({
      ...{ policy: policies[policy](QUANTUM), processes },
      watcher: { chosen: ({ pid }) => void chosen.push(`${pid}`) },
    });
    const taken = turns.filter((turn) => !turn.startsWith("close"));
    assert.deepEqual(taken, chosen, policy);
  }
});

test("a place is let go of once, by whoever another comes after", async () => {
  const { turns, ask } = setUp(createScheduler({ quantum: QUANTUM }));
  const work = (pid: number, rounds: number): Work => ({
    async run() {
      turns.push(`${pid}`);
      return { tokens: QUANTUM, done: --rounds === 0 };
    },
    async park() {
      turns.push(`park ${pid}`);
      return { tokens: 3, wasted: 2 };
    },
  });
  await Promise.all([ask(1, { work: work(1, 3) }), ask(2, { work: work(2, 2) })]);
  assert.deepEqual(turns.join(), "1,park 1,2,park 2,1,park 1,2,1");
});

test("alone, nobody makes way", async () => {
  const scheduler = createScheduler({ quantum: QUANTUM });
  const { ask } = setUp(scheduler);
  await ask(1, { tokens: 95 });
  const { tokens, requests, preemptions, longestWaitMs } = scheduler.service(1) ?? {};
  assert.deepEqual([tokens, requests, preemptions], [95, 1, 0]);
  assert.ok((longestWaitMs ?? 99) < 5);
  assert.equal(scheduler.service(2), undefined);
});

/** Work that needs a page of so many, holds it between its turns, and can give it up. */
function paged(pages: { free: number }, turns: string[], pid: number, rounds: number): Work {
  let [held, left] = [false, rounds];
  const give = (): void => {
    if (held) pages.free++;
    held = false;
  };
  return {
    get resident() {
      return held;
    },
    async run() {
      await sleep(1);
      if (!held && pages.free === 0) return { tokens: 0, done: false, short: new Error("full") };
      if (!held) pages.free--;
      held = true;
      turns.push(`${pid}`);
      return { tokens: QUANTUM, done: --left === 0 };
    },
    async pageOut() {
      await sleep(1);
      turns.push(`out ${pid}`);
      give();
    },
    async close() {
      await sleep(1);
      give();
    },
  };
}

test("memory goes to whose turn it is, from whose turn is farthest", async () => {
  for (const places of [1, 2, 3]) {
    const lanes = { a: { places } };
    const scheduler = createScheduler({ quantum: QUANTUM, lanes });
    const { turns, ask } = setUp(scheduler);
    const pages = { free: 2 };
    const pids = [1, 2, 3, 4, 5];
    await Promise.all(pids.map((pid) => ask(pid, { work: paged(pages, turns, pid, 4) })));
    assert.equal(turns.filter((turn) => !turn.startsWith("out")).length, 20, `${turns}`);
    assert.ok(turns.some((turn) => turn.startsWith("out")));
    assert.equal(pages.free, 2);
    // Of those that rest, the one that has just run comes last.
    if (places === 1) assert.deepEqual(turns.slice(0, 4), ["1", "2", "out 2", "3"]);
  }
});

test("memory that nobody can give is an error; where others run it is a wait", async () => {
  const { turns, ask } = setUp(createScheduler({ lanes: { a: { places: 2 } } }));
  const none = { free: 0 };
  await assert.rejects(ask(1, { work: paged(none, turns, 1, 1) }), { message: "full" });
  const [first, second] = [1, 2].map((pid) => ask(pid, { work: hold(pid) }));
  let taken = false;
  function hold(pid: number): Work {
    return {
      async run() {
        await sleep(2);
        if (pid === 2 && taken) return { tokens: 0, done: false, short: new Error("full") };
        taken = true;
        return { tokens: 1, done: true };
      },
      close: async () => {
        taken = false;
      },
    };
  }
  await Promise.all([first, second]);
});

test("memory that somebody else holds makes nobody wait for another who waits", async () => {
  const { turns, ask } = setUp(createScheduler({ lanes: { a: { places: 2 } } }));
  const none = { free: 0 };
  const all = [1, 2, 3].map((pid) => ask(pid, { work: paged(none, turns, pid, 1) }));
  for (const { status } of await Promise.allSettled(all)) assert.equal(status, "rejected");
});

test("who found no memory has another's as soon as that one rests", async () => {
  const { turns, ask } = setUp(createScheduler({ lanes: { a: { places: 2 } } }));
  const pages = { free: 1 };
  await Promise.all([1, 2].map((pid) => ask(pid, { work: paged(pages, turns, pid, 9) })));
  assert.ok(turns.indexOf("2") < 9, `${turns}`);
});

test("what cannot be moved out stays until it is done", async () => {
  const { turns, ask } = setUp(createScheduler({ quantum: QUANTUM }));
  const pages = { free: 1 };
  const stuck = Object.assign(paged(pages, turns, 1, 3), {
    pageOut: () => Promise.reject(new NutshellError("DISK", "swap: disk full")),
  });
  await Promise.all([ask(1, { work: stuck }), ask(2, { work: paged(pages, turns, 2, 2) })]);
  assert.deepEqual(turns.join(), "1,1,1,2,2");
  assert.equal(pages.free, 1);
});

test("taken back while it waits, runs, or rests", async () => {
  const scheduler = createScheduler({ quantum: QUANTUM });
  const { turns, ask } = setUp(scheduler);
  const [waits, runs] = [new AbortController(), new AbortController()];
  const gone = ask(9, { signal: AbortSignal.abort(new Error("before")) });
  await assert.rejects(gone, { code: "ABORTED" });
  const long = ask(1, {
    signal: runs.signal,
    work: {
      async run() {
        await sleep(1);
        turns.push("1");
        return { tokens: QUANTUM, done: false };
      },
    },
  });
  const waiting = ask(2, { signal: waits.signal, tokens: 1 });
  waits.abort();
  await assert.rejects(waiting, { code: "ABORTED" });
  assert.ok(turns.includes("close 2") && !turns.includes("2"));
  setTimeout(() => runs.abort(), 5);
  await assert.rejects(long, { code: "ABORTED" });
  await ask(3);
  assert.equal(turns.at(-1), "close 3");
});

test("an error ends its request alone, and its place goes on", async () => {
  const { turns, ask } = setUp(createScheduler());
  const close = async (): Promise<void> => void turns.push("close 1");
  const run = () => Promise.reject(new NutshellError("PROVIDER", "down"));
  const failed = ask(1, { work: { run, close } });
  const served = ask(2);
  await assert.rejects(failed, { code: "PROVIDER" });
  await served;
  assert.deepEqual(turns, ["close 1", "2", "close 2"]);
});

test("a provider that asks for patience is left alone by its whole lane", async () => {
  const { turns, ask } = setUp(createScheduler({ lanes: { a: { places: 2 } } }));
  const begun = performance.now();
  let tries = 0;
  const run = async (): Promise<Slice> => {
    turns.push("1");
    if (tries++ === 0) throw Object.assign(new Error("429"), { retryAfterMs: 60 });
    return { tokens: 1, done: true };
  };
  const first = ask(1, { work: { run } });
  await sleep(5);
  const second = ask(2);
  await Promise.all([first, second]);
  assert.ok(performance.now() - begun >= 59);
  assert.deepEqual(turns.slice(0, 1), ["1"]);
  const always = () => Promise.reject(Object.assign(new Error("429"), { retryAfterMs: 1 }));
  await assert.rejects(ask(3, { work: { run: always } }), { message: "429" });
});

test("requests and tokens of a minute are held to", async () => {
  let now = 0;
  const lanes = { a: { places: 9, requestsPerMinute: 120, tokensPerMinute: 6000 } };
  const { turns, ask } = setUp(createScheduler({ lanes, now: () => now }));
  const some = Array.from({ length: 125 }, (_, i) => ask(i + 1));
  await sleep(2);
  const served = (): number => turns.filter((turn) => !turn.startsWith("close")).length;
  assert.equal(served(), 120);
  // Two requests a second; the lane looks again when the next one may begin.
  now = 2500;
  await Promise.all(some);
  assert.equal(served(), 125);
});

test("what is owed in tokens holds up who begins, not who goes on", async () => {
  const lanes = { a: { places: 1, tokensPerMinute: 60_000 } };
  const { turns, ask } = setUp(createScheduler({ lanes }));
  const sizes = [60_050, 50, 50];
  const run = async (): Promise<Slice> => {
    turns.push("1");
    return { tokens: sizes.shift() ?? 0, done: sizes.length === 0 };
  };
  const long = ask(1, { work: { run } });
  const next = ask(2);
  const begun = performance.now();
  await long;
  assert.deepEqual(turns.join(), "1,1,1");
  await next;
  assert.ok(performance.now() - begun > 140);
});

test("renice counts from the next turn on, for who is under way", async () => {
  const { turns, ask } = setUp(createScheduler({ quantum: QUANTUM }));
  const priority = { ...batch };
  const all = [ask(1, { tokens: 400 }), ask(2, { tokens: 400, priority })];
  priority.nice = -10;
  await Promise.all(all);
  const mine = turns.slice(0, turns.lastIndexOf("2")).filter((turn) => turn === "1").length;
  assert.ok(mine < 20, `${turns}`);
});

test("of many processes the latest are remembered", async () => {
  const scheduler = createScheduler();
  const { ask } = setUp(scheduler);
  for (let pid = 1; pid <= 10_001; pid++) await ask(pid);
  assert.equal(scheduler.service(1), undefined);
  assert.equal(scheduler.service(2)?.requests, 1);
});
