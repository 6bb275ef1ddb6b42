/**
 * A process that runs in this daemon: what of its row each call needs, kept fresh by wake-ups, and
 * the calls that are under way. The truth is the row; the journal's write checks it again.
 */

import type { Priority } from "../scheduler/policy.ts";
import type { Capability } from "../security/capability.ts";
import type { Label } from "../security/label.ts";
import type { Endorsement } from "../security/policy.ts";
import { type Client, fromLabelText, type ProcessRow, readRow } from "./process-row.ts";
import { createLoopWatch, type LoopWatch } from "./stuck.ts";

/** Thrown out of a call when its process has ended: the program can do nothing more. */
export class ProcessEnded extends Error {}

/** Thrown out of a call that this daemon must not go on with: it stops, or another took over. */
export class Parked extends Error {}

/** Why a call that waits is over before its time. */
export class Interrupted extends Error {
  readonly code: "INTERRUPTED" | "BUDGET";

  constructor(code: "INTERRUPTED" | "BUDGET", message: string) {
    super(message);
    this.code = code;
  }
}

/** A call under way. */
export interface Flight {
  readonly call: number;
  readonly controller: AbortController;
  /** It waits for somebody: a signal may end it early. */
  waiting: boolean;
}

export interface Running extends Priority {
  readonly pid: number;
  readonly path: readonly number[];
  readonly owner: string;
  readonly program: string;
  readonly fileTree: string;
  readonly approvals: "wait" | "deny";
  readonly userTurn?: string;
  readonly influenceBits?: number;
  /** What decided that the process runs at all. */
  readonly pc: Label;
  /** Token of this run: another run's journal is closed to it. */
  readonly runner: string;
  readonly endsAt?: number;
  nice: number;
  capabilities: readonly Capability[];
  /** Changes with every change of them. */
  rights: number;
  /** Waits of calls up to this one are over. */
  interrupted: number;
  readonly endorsed: Endorsement[];
  readonly loops: LoopWatch;
  /** What the kernel has to say with the outcome of a call, by its number. */
  readonly notes: Map<number, string>;
  /** How often it was put on another way already. */
  readonly unstuck: number;
  readonly flights: Set<Flight>;
  /** Aborts when the process is over. */
  readonly ended: AbortController;
}

const forkedNote =
  "this is a second attempt from before a circle of same calls: choose another way";

export function toRunning(row: ProcessRow, runner: string, endorsed: Endorsement[]): Running {
  return {
    pid: row.pid,
    path: row.path,
    owner: row.owner,
    program: row.program,
    fileTree: row.file_tree,
    approvals: row.approvals,
    ...(row.user_turn !== null && { userTurn: row.user_turn }),
    ...(row.limit_bits !== null && { influenceBits: row.limit_bits }),
    pc: fromLabelText(row.pc),
    runner,
    ...(row.ends_at !== null && { endsAt: Number(row.ends_at) }),
    interactive: row.interactive,
    ...(row.deadline !== null && { deadline: Number(row.deadline) }),
    nice: row.nice,
    capabilities: JSON.parse(row.capabilities) as Capability[],
    rights: row.rights,
    interrupted: row.interrupted,
    endorsed,
    loops: createLoopWatch(),
    notes: new Map(row.forked_at === null ? [] : [[row.forked_at, forkedNote]]),
    unstuck: row.unstuck,
    flights: new Set(),
    ended: new AbortController(),
  };
}

/** After a wake-up: rights, urgency and signals as they stand now. */
export async function refresh(client: Client, running: Running): Promise<void> {
  const row = await readRow(client, running.pid);
  if (row === undefined || row.ended_at !== null) return end(running);
  running.capabilities = JSON.parse(row.capabilities) as Capability[];
  running.rights = row.rights;
  running.nice = row.nice;
  running.interrupted = row.interrupted;
  for (const flight of running.flights) interruptIfTold(running, flight);
}

export function openFlight(running: Running, call: number, waiting: boolean): Flight {
  const flight = { call, controller: new AbortController(), waiting };
  running.flights.add(flight);
  if (running.ended.signal.aborted) flight.controller.abort(running.ended.signal.reason);
  interruptIfTold(running, flight);
  return flight;
}

export function interruptIfTold(running: Running, flight: Flight): void {
  if (!flight.waiting || flight.call > running.interrupted) return;
  flight.controller.abort(new Interrupted("INTERRUPTED", "a signal ended the wait"));
}

/** Its calls under way are aborted; what they still do is journaled as late. */
export function end(
  running: Running,
  reason: Error = new ProcessEnded(`process ${running.pid} has ended`),
): void {
  running.ended.abort(reason);
  for (const flight of running.flights) flight.controller.abort(reason);
}
