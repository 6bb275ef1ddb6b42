/**
 * Simulated work over the scheduler's own lane and policies: a virtual clock, places that serve a
 * token in a fixed time, processes that ask, wait and think. All that decides is the product's code.
 */

import { type Entry, Lane } from "../../../src/os/scheduler/lane.ts";
import { Ledger } from "../../../src/os/scheduler/ledger.ts";
import type { Policy, Priority } from "../../../src/os/scheduler/policy.ts";

export interface SimulatedProcess {
  readonly pid: number;
  readonly priority: Priority;
  /** Milliseconds. */
  readonly startsAt: number;
  /** One after another. */
  readonly requests: readonly SimulatedRequest[];
}

export interface SimulatedRequest {
  readonly tokens: number;
  /** Before it is asked; milliseconds. */
  readonly thinkMs: number;
  /** Tokens of its first turn beyond the quantum: a prompt. */
  readonly prompt?: number;
  /** Taken back when it still waits then. */
  readonly patienceMs?: number;
}

export interface SimulatedEntry extends Entry {
  left: number;
  prompt: number;
}

/** Hears what happens, after it happened. */
export interface Watcher {
  began?(entry: SimulatedEntry): void;
  chosen?(entry: SimulatedEntry, now: number): void;
  charged?(entry: SimulatedEntry, tokens: number, done: boolean): void;
  dropped?(entry: SimulatedEntry): void;
}

export interface Simulation {
  readonly policy: Policy;
  readonly processes: readonly SimulatedProcess[];
  readonly places?: number;
  readonly msPerToken?: number;
  /** Stops there; absent: runs until all is done. */
  readonly untilMs?: number;
  readonly watcher?: Watcher;
}

export interface Simulated {
  readonly ledger: Ledger;
  readonly endedAt: number;
  readonly finished: number;
}

export function simulate(simulation: Simulation): Simulated {
  const { policy, processes, places = 1, msPerToken = 1, untilMs = Infinity } = simulation;
  const { watcher } = simulation;
  const ledger = new Ledger();
  const lane = new Lane<SimulatedEntry>(policy, { places }, ledger);
  const events: { readonly at: number; readonly order: number; readonly run: () => void }[] = [];
  let [now, ids, orders, finished] = [0, 0, 0, 0];

  const at = (time: number, run: () => void): void => {
    const event = { at: time, order: orders++, run };
    const later = events.findIndex((one) => one.at > time);
    events.splice(later < 0 ? events.length : later, 0, event);
  };
  const ask = (process: SimulatedProcess, nth: number): void => {
    const request = process.requests[nth];
    if (request === undefined) return;
    at(now + request.thinkMs, () => {
      const { tokens, prompt = 0 } = request;
      const { pid, priority } = process;
      const rest = { state: "waiting" as const, open: false, askedAt: now, since: now };
      const entry = { id: ids++, pid, priority, ...rest, left: tokens, prompt };
      onEnd.set(entry, () => ask(process, nth + 1));
      lane.enter(entry);
      watcher?.began?.(entry);
      fill();
      if (request.patienceMs !== undefined) at(now + request.patienceMs, () => drop(entry));
    });
  };
  const drop = (entry: SimulatedEntry): void => {
    if (!lane.waiting.includes(entry)) return;
    lane.end(entry, now);
    watcher?.dropped?.(entry);
    finish(entry);
  };
  const onEnd = new Map<SimulatedEntry, () => void>();
  const fill = (): void => {
    for (let next = lane.take(now); next !== undefined; next = lane.take(now)) serve(next);
  };
  const serve = (entry: SimulatedEntry): void => {
    watcher?.chosen?.(entry, now);
    const made = Math.min(policy.quantum, entry.left);
    const tokens = made + entry.prompt;
    at(now + tokens * msPerToken, () => {
      entry.left -= made;
      entry.prompt = 0;
      const done = entry.left <= 0;
      if (done) lane.end(entry, now, tokens);
      else lane.back(entry, tokens, now);
      watcher?.charged?.(entry, tokens, done);
      if (done) finish(entry);
      fill();
    });
  };
  const finish = (entry: SimulatedEntry): void => {
    finished++;
    onEnd.get(entry)?.();
    onEnd.delete(entry);
  };

  for (const process of processes) at(process.startsAt, () => ask(process, 0));
  for (
    let event = events.shift();
    event !== undefined && event.at <= untilMs;
    event = events.shift()
  ) {
    now = event.at;
    event.run();
  }
  return { ledger, endedAt: now, finished };
}
