/** Hostile random workloads in simulation: every wait of every process against its bound. */
import type { CommandIo } from "../src/cli/command.ts";
import { createFairPolicy } from "../src/os/scheduler/fair.ts";
import { randomWorkload } from "../test/os/scheduler/random-workload.ts";
import { simulate } from "../test/os/scheduler/simulate.ts";
import { watchWaits } from "../test/os/scheduler/wait-bound.ts";
import { significant } from "./report.ts";

const REPORT_MS = 2000;

export interface Starvation {
  readonly workloads: number;
  readonly waits: number;
  readonly late: number;
  readonly unfinished: number;
  /** The largest share of its bound that a wait took. */
  readonly worst_share_of_bound: number;
  readonly holds: boolean;
}

/** Seeds 1 to `workloads`. */
export function proveWaits(workloads: number, io: CommandIo): Starvation {
  let [waits, late, unfinished, worst] = [0, 0, 0, 0];
  let told = performance.now();
  const begun = told;
  for (let seed = 1; seed <= workloads; seed++) {
    io.signal.throwIfAborted();
    const { quantum, places, processes } = randomWorkload(seed);
    const policy = createFairPolicy(quantum);
    const watcher = watchWaits(policy, places);
    const { finished } = simulate({ policy, places, processes, watcher });
    unfinished += processes.flatMap(({ requests }) => requests).length - finished;
    waits += watcher.count;
    late += watcher.late.length;
    worst = Math.max(worst, watcher.worst);
    for (const line of watcher.late.slice(0, 3)) io.stderr(`seed ${seed}: ${line}\n`);
    if (performance.now() - told < REPORT_MS) continue;
    told = performance.now();
    const left = ((told - begun) / seed) * (workloads - seed);
    io.stderr(`starvation: ${seed}/${workloads} workloads, ${Math.ceil(left / 1000)} s left\n`);
  }
  const holds = late === 0 && unfinished === 0;
  const worst_share_of_bound = significant(worst, 3);
  return { workloads, waits, late, unfinished, worst_share_of_bound, holds };
}
