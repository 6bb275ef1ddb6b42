/**
 * Many processes alive at once in a real kernel on a Postgres of their own, with fsync: what an
 * idle one keeps in memory, and how many system calls a second go through all gates and the journal.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { openDatabase } from "../src/durable/database.ts";
import { startPostgres } from "../src/durable/postgres.ts";
import { bootKernel } from "../src/os/kernel/boot.ts";
import type { Kernel } from "../src/os/kernel/kernel.ts";
import type { Program } from "../src/os/kernel/process.ts";
import type { Syscall } from "../src/os/kernel/syscall.ts";
import { bottom, fromUser } from "../src/os/security/label.ts";
import { labelled } from "../src/os/security/labelled.ts";
import { significant } from "./report.ts";

/** A call that does nothing: what is left is the kernel's. */
const nothing: Syscall = {
  ...{ name: "bench.nothing", doc: "Nothing.", effect: "pure", access: "read", sinks: {} },
  args: { type: "object", properties: { n: { type: "integer" } }, additionalProperties: false },
  run: async ({ value }) => ({ value, labels: { label: bottom } }),
};

const programs: Readonly<Record<string, Program>> = {
  idle: async (sys) => {
    await sys.call("time.sleep", labelled({ ms: 3_600_000 }, fromUser));
    return labelled(null, bottom);
  },
  caller: async (sys) => {
    for (let n = 0; n < (sys.input.value as number); n++) {
      const { status } = await sys.call("bench.nothing", labelled({ n }, fromUser));
      if (status !== "ok") return labelled(n, bottom);
    }
    return sys.input;
  },
};

const capabilities = [{ call: "*" }];

export interface Processes {
  readonly holds: boolean;
  readonly [name: string]: number | boolean;
}

export async function measureProcesses(count: number): Promise<Processes> {
  const dir = await mkdtemp(join(tmpdir(), "nutshell-bench-"));
  await using opened = new AsyncDisposableStack();
  opened.defer(() => rm(dir, { recursive: true, force: true }));
  const server = await startPostgres({ dir, url: undefined });
  opened.defer(() => server.stop());
  const database = opened.use(await openDatabase(server.url));
  const options = { database, executorId: "bench", syscalls: [nothing], programs };
  const kernel = opened.use(await bootKernel(options));
  return await measure(kernel, count);
}

async function measure(kernel: Kernel, count: number): Promise<Processes> {
  await callRate(kernel, 1, 50);
  const before = await memoryNow();
  const begun = performance.now();
  const pids = await spawnIdle(kernel, count);
  const alive = await waitUntilAsleep(kernel, count);
  const spawnMs = performance.now() - begun;
  const after = await memoryNow();
  const alone = await callRate(kernel, 1, 300);
  const together = await callRate(kernel, 100, 20);
  const killed = performance.now();
  await Promise.all(pids.map((pid) => kernel.signal(pid, "KILL")));
  await Promise.all(pids.map((pid) => kernel.wait(pid)));
  return {
    ...{ alive, spawn_ms_each: significant(spawnMs / count, 3) },
    rss_kib_each: significant((after.rss - before.rss) / 1024 / count, 3),
    heap_kib_each: significant((after.heapUsed - before.heapUsed) / 1024 / count, 3),
    calls_per_s_one_process: significant(alone, 3),
    calls_per_s_100_processes: significant(together, 3),
    kill_ms_all: significant(performance.now() - killed, 3),
    holds: alive === count,
  };
}

/** A hundred at a time: each takes a connection while it is made. */
async function spawnIdle(kernel: Kernel, count: number): Promise<number[]> {
  const pids: number[] = [];
  while (pids.length < count) {
    const some = Array.from({ length: Math.min(100, count - pids.length) }, () =>
      kernel.spawn({ program: "idle", input: labelled(null, fromUser), capabilities }),
    );
    pids.push(...(await Promise.all(some)));
  }
  return pids;
}

/** @returns how many are within their call, after a minute at most */
async function waitUntilAsleep(kernel: Kernel, count: number): Promise<number> {
  for (const end = performance.now() + 60_000; ; await sleep(50)) {
    const all = await kernel.processes();
    const asleep = all.filter(
      ({ current, state }) => current === "time.sleep" && state === "waiting",
    );
    if (asleep.length >= count || performance.now() > end) return asleep.length;
  }
}

/** System calls a second over so many processes. */
async function callRate(kernel: Kernel, processes: number, calls: number): Promise<number> {
  const start = performance.now();
  const input = labelled(calls, fromUser);
  const exits = Array.from({ length: processes }, async () =>
    kernel.wait(await kernel.spawn({ program: "caller", input, capabilities })),
  );
  for (const exit of await Promise.all(exits))
    if (exit.how !== "returned" || exit.value !== calls)
      throw new Error(`caller: all calls must succeed, got ${JSON.stringify(exit)}`);
  return (processes * calls * 1000) / (performance.now() - start);
}

async function memoryNow(): Promise<NodeJS.MemoryUsage> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let nth = 0; nth < 3; nth++) {
    collect();
    await sleep(50);
  }
  return process.memoryUsage();
}
