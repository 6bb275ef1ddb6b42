/**
 * The same workload under each policy, on the real engine and in simulation: processes of all
 * lengths arrive at random, and every third is somebody who waits for a short reply.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "../src/llm/inference/engine.ts";
import type { Service } from "../src/os/scheduler/ledger.ts";
import { type PolicyName, policies } from "../src/os/scheduler/scheduler.ts";
import { type SimulatedProcess, simulate } from "../test/os/scheduler/simulate.ts";
import { median, significant } from "./report.ts";
import { createMachine, QUANTUM } from "./scheduler-machine.ts";

export const policyNames: readonly PolicyName[] = ["fair", "round-robin", "fifo"];

/** Uniform in [0, 1), the same numbers each time. */
function createRandom(): () => number {
  let state = 7;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Of a third with 12 to 31, and two thirds with 40 to 399. */
const MEAN_TOKENS = (21.5 + 2 * 219.5) / 3;

/** @param load share of the machine that is asked for, at so many milliseconds a token */
export function makeWorkload(count: number, msPerToken: number, load: number): SimulatedProcess[] {
  const random = createRandom();
  let at = 0;
  return Array.from({ length: count }, (_, i) => {
    const interactive = i % 3 === 0;
    const tokens = interactive ? 12 + Math.floor(random() * 20) : 40 + Math.floor(random() * 360);
    at += (-Math.log(1 - random()) * MEAN_TOKENS * msPerToken) / load;
    return {
      ...{ pid: i + 1, priority: { nice: 0, interactive }, startsAt: at },
      requests: [{ tokens, thinkMs: 0 }],
    };
  });
}

export interface Compared {
  readonly mean_wait_ms: number;
  readonly mean_turnaround_ms: number;
  readonly interactive: { readonly mean_wait_ms: number; readonly mean_turnaround_ms: number };
  /** Turnaround over the time that the work takes alone, mean. */
  readonly mean_slowdown: number;
}

function summarise(
  processes: readonly SimulatedProcess[],
  service: (pid: number) => Service | undefined,
  msPerToken: number,
): Compared {
  const mean = (some: readonly SimulatedProcess[], of: (one: SimulatedProcess) => number): number =>
    significant(some.reduce((sum, one) => sum + of(one), 0) / some.length, 4);
  const waited = ({ pid }: SimulatedProcess): number => service(pid)?.waitedMs ?? Number.NaN;
  const took = ({ pid }: SimulatedProcess): number => service(pid)?.turnaroundMs ?? Number.NaN;
  const alone = ({ requests }: SimulatedProcess): number => (requests[0]?.tokens ?? 1) * msPerToken;
  const people = processes.filter(({ priority }) => priority.interactive);
  return {
    ...{ mean_wait_ms: mean(processes, waited), mean_turnaround_ms: mean(processes, took) },
    interactive: { mean_wait_ms: mean(people, waited), mean_turnaround_ms: mean(people, took) },
    mean_slowdown: mean(processes, (one) => took(one) / alone(one)),
  };
}

/** Each number's own median. */
export function medianOf(rounds: readonly Compared[]): Compared {
  const of = (number: (one: Compared) => number): number => median(rounds.map(number));
  return {
    mean_wait_ms: of((one) => one.mean_wait_ms),
    mean_turnaround_ms: of((one) => one.mean_turnaround_ms),
    interactive: {
      mean_wait_ms: of((one) => one.interactive.mean_wait_ms),
      mean_turnaround_ms: of((one) => one.interactive.mean_turnaround_ms),
    },
    mean_slowdown: of((one) => one.mean_slowdown),
  };
}

export function comparePolicies(
  processes: readonly SimulatedProcess[],
  msPerToken: number,
): Record<PolicyName, Compared> {
  const rows = policyNames.map((name) => {
    const { ledger } = simulate({ policy: policies[name](QUANTUM), processes, msPerToken });
    return [name, summarise(processes, (pid) => ledger.get(pid), msPerToken)] as const;
  });
  return Object.fromEntries(rows) as Record<PolicyName, Compared>;
}

export async function runPolicy(
  engine: Engine,
  name: PolicyName,
  processes: readonly SimulatedProcess[],
  msPerToken: number,
): Promise<Compared> {
  await using machine = createMachine(engine, name);
  const runs = processes.map(async ({ pid, startsAt, requests: [request], priority }) => {
    await sleep(startsAt);
    await machine.ask(pid, request?.tokens ?? 1, priority);
  });
  await Promise.all(runs);
  return summarise(processes, (pid) => machine.scheduler.service(pid), msPerToken);
}
