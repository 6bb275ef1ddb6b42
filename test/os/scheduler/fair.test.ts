/** The policies in simulation, where time is exact and workloads can be as hostile as one likes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createFairPolicy, type FairPolicy } from "../../../src/os/scheduler/fair.ts";
import { jainIndex, type Service } from "../../../src/os/scheduler/ledger.ts";
import type { Priority } from "../../../src/os/scheduler/policy.ts";
import { policies } from "../../../src/os/scheduler/scheduler.ts";
import { randomWorkload } from "./random-workload.ts";
import { type SimulatedProcess, simulate } from "./simulate.ts";
import { watchWaits } from "./wait-bound.ts";

const QUANTUM = 16;
const batch: Priority = { nice: 0, interactive: false };
const endless = { tokens: 1e6, thinkMs: 0 };
/** Each nice level is a factor of 1.25: these two are as near to 2 and 4 as whole levels come. */
const [TWICE, FOUR_TIMES] = [-3, -6];

const worker = (pid: number, priority: Partial<Priority> = {}): SimulatedProcess => ({
  ...{ pid, priority: { ...batch, ...priority } },
  ...{ startsAt: 0, requests: [endless] },
});
const crowd = (n: number): SimulatedProcess[] => Array.from({ length: n }, (_, i) => worker(i + 1));

function run(processes: readonly SimulatedProcess[], untilMs: number, policy = "fair" as const) {
  const { ledger } = simulate({ policy: policies[policy](QUANTUM), processes, untilMs });
  return (pid: number): Service => ledger.get(pid) as Service;
}

test("equal weights get equal shares", () => {
  const service = run(crowd(10), 100_000);
  const tokens = crowd(10).map(({ pid }) => service(pid).tokens);
  assert.ok(jainIndex(tokens) > 0.9999, `${tokens}`);
});

test("weights are shares", () => {
  const three = [worker(1), worker(2, { nice: TWICE }), worker(3, { nice: FOUR_TIMES })];
  const service = run(three, 100_000);
  const [one, two, four] = [1, 2, 3].map((pid) => service(pid).tokens) as [number, number, number];
  assert.ok(Math.abs(two / one / 1.25 ** 3 - 1) < 0.01, `${two / one}`);
  assert.ok(Math.abs(four / one / 1.25 ** 6 - 1) < 0.01, `${four / one}`);
});

test("who thinks now and then waits for one turn at most, behind fifty who never do", () => {
  // Two hundred tokens at once, then fewer than its share.
  const requests = [200, ...Array.from({ length: 40 }, () => 60)];
  const talks = requests.map((tokens) => ({ tokens, thinkMs: 4321 }));
  const talker = { ...worker(99, { interactive: true }), requests: talks };
  const service = run([...crowd(50), talker], 200_000)(99);
  assert.ok(service.requests >= 40, `${service.requests}`);
  assert.ok(service.longestWaitMs <= QUANTUM, `${service.longestWaitMs}`);
});

test("to be interactive is no way to more than a share", () => {
  const service = run([...crowd(3), worker(99, { interactive: true })], 100_000);
  const shares = [1, 2, 3, 99].map((pid) => service(pid).tokens);
  // What it may borrow, once, and what the others wait for meanwhile.
  assert.ok(Math.max(...shares) - Math.min(...shares) <= 2 * 16 * QUANTUM, `${shares}`);
});

test("of equals the earlier deadline comes first", () => {
  const ends: number[] = [];
  const late = [5000, 1000, 3000].map((deadline, i) => ({
    ...worker(i + 1, { deadline }),
    requests: [{ tokens: QUANTUM, thinkMs: 0 }],
  }));
  const watcher = { chosen: ({ pid }: { readonly pid: number }) => ends.push(pid) };
  const policy = createFairPolicy(QUANTUM);
  // Somebody has the place while they come.
  const first = { ...worker(9), startsAt: -1, requests: [{ tokens: 8, thinkMs: 0 }] };
  simulate({ policy, processes: [first, ...late], watcher });
  assert.deepEqual(ends, [9, 2, 3, 1]);
});

test("sleep saves nothing up, and a new process has no more than its share from now on", () => {
  const sleeper = { ...worker(2), requests: [{ tokens: 1e6, thinkMs: 50_000 }] };
  const service = run([worker(1), sleeper], 70_000);
  assert.ok(Math.abs(service(2).tokens - 10_000) <= 2 * QUANTUM, `${service(2).tokens}`);
});

test("weights are shares also where no turn is used up", () => {
  const short = Array.from({ length: 3000 }, () => ({ tokens: 5, thinkMs: 0 }));
  const three = [0, TWICE, FOUR_TIMES].flatMap((nice, i) =>
    // Side by side, so that one waits whenever another ends.
    Array.from({ length: 3 }, () => ({ ...worker(i + 1, { nice }), requests: short })),
  );
  const service = run(three, 20_000);
  const [one, two, four] = [1, 2, 3].map((pid) => service(pid).tokens) as [number, number, number];
  assert.ok(Math.abs(two / one / 1.25 ** 3 - 1) < 0.02, `${two / one}`);
  assert.ok(Math.abs(four / one / 1.25 ** 6 - 1) < 0.02, `${four / one}`);
});

test("a weight that one request cannot use makes no debts for others to pay", () => {
  const policy = createFairPolicy(QUANTUM);
  const newcomer = { ...worker(4), startsAt: 50_000 };
  const processes = [worker(1, { nice: -20 }), worker(2), worker(3), newcomer];
  const { ledger } = simulate({ policy, processes, places: 2, untilMs: 60_000 });
  // A third of what one place served since, and the slack.
  const tokens = ledger.get(4)?.tokens ?? 0;
  assert.ok(tokens > 3000 && tokens < 4000, `${tokens}`);
});

test("turns that serve nothing come to an end for who waits behind them", () => {
  const policy = createFairPolicy(QUANTUM);
  const ahead = { id: 0, pid: 1, priority: batch };
  let next = { id: 1, pid: 2, priority: batch };
  policy.enter(ahead);
  policy.enter(next);
  policy.choose([ahead]);
  policy.charge(ahead, 100);
  let turns = 0;
  for (; turns < 1000; turns++) {
    if (policy.choose([ahead, next]) === ahead) break;
    policy.charge(next, 0);
    policy.leave(next);
    next = { ...next, id: next.id + 1 };
    policy.enter(next);
  }
  assert.ok(turns < 1000, `${turns}`);
});

test("requests side by side share what their process has", () => {
  const service = run([worker(1), worker(1), worker(1), worker(2)], 50_000);
  assert.ok(Math.abs(service(1).tokens - service(2).tokens) <= 2 * QUANTUM);
});

test("nobody waits beyond the bound, whatever comes", () => {
  let [worst, count] = [0, 0];
  for (let seed = 1; seed <= 300; seed++) {
    const { quantum, places, processes } = randomWorkload(seed);
    const policy = createFairPolicy(quantum);
    const watcher = watchWaits(policy, places);
    const { finished } = simulate({ policy, places, processes, watcher });
    assert.deepEqual(watcher.late, [], `seed ${seed}`);
    assert.equal(finished, processes.flatMap(({ requests }) => requests).length, `seed ${seed}`);
    worst = Math.max(worst, watcher.worst);
    count += watcher.count;
  }
  // Bounds that nothing comes near would say little.
  assert.ok(worst > 0.3 && count > 100_000, `${worst} ${count}`);
});

/** The same books, another choice. */
function unfair(policy: FairPolicy, order: (a: number, b: number) => number): FairPolicy {
  return {
    quantum: policy.quantum,
    get virtualTime() {
      return policy.virtualTime;
    },
    accounts: policy.accounts,
    enter: (claim) => policy.enter(claim),
    choose: (waiting) =>
      policy.choose([waiting.toSorted((a, b) => order(a.pid, b.pid))[0] as never]),
    farthest: (waiting) => policy.farthest(waiting),
    charge: (claim, tokens) => policy.charge(claim, tokens),
    leave: (claim) => policy.leave(claim),
  };
}

test("a choice by rank alone is caught by the bound", () => {
  const policy = unfair(createFairPolicy(QUANTUM), (a, b) => a - b);
  const watcher = watchWaits(policy, 1);
  const processes = [worker(1), worker(2), { ...worker(3), requests: [{ tokens: 9, thinkMs: 0 }] }];
  const long = processes.map((one) => ({
    ...one,
    requests: one.requests.map((request) => ({
      ...request,
      tokens: Math.min(request.tokens, 9999),
    })),
  }));
  simulate({ policy, processes: long, watcher });
  assert.ok(watcher.late.length > 0);
});
