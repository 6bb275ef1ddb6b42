/**
 * What a shell may ask a daemon over its socket: one row per method, the same types at both ends.
 * A request is `POST /METHOD` with a JSON object, an answer `{"result": …}` or `{"error": …}`.
 */
import type {
  CronEntry,
  JournalCheck,
  JournalRecord,
  Ticket,
  TicketAnswer,
} from "../../os/kernel/kernel.ts";
import type { Exit, ProcessRecord, Signal } from "../../os/kernel/process.ts";
import type { Capability } from "../../os/security/capability.ts";
import type { Json } from "../../os/security/labelled.ts";
import type { HealthRow, RunRequest, ScheduleRequest } from "../../os/system.ts";

type Pid = { readonly pid: number };

/** By name: what goes in, what comes out. */
export interface Methods {
  readonly run: [request: RunRequest, pid: number];
  readonly processes: [filter: { readonly all?: boolean }, rows: readonly ProcessRecord[]];
  readonly process: [pid: Pid, row: ProcessRecord];
  readonly signal: [
    request: Pid & { readonly signal: Signal; readonly scope?: "one" | "tree" | "group" },
    pids: readonly number[],
  ];
  /** Answers when the process has ended. */
  readonly wait: [pid: Pid, exit: Exit];
  readonly fork: [request: Pid & { readonly at?: number }, pid: number];
  readonly renice: [request: Pid & { readonly nice: number }, done: null];
  readonly grant: [request: Pid & { readonly capability: Capability }, done: null];
  readonly revoke: [request: Pid & { readonly call: string }, taken: number];
  readonly tickets: [
    filter: { readonly pid?: number; readonly all?: boolean },
    tickets: readonly Ticket[],
  ];
  readonly answer: [
    request: { readonly ticket: number; readonly answer: TicketAnswer },
    done: null,
  ];
  readonly journal: [request: Pid & { readonly from?: number }, records: readonly JournalRecord[]];
  readonly verifyJournal: [nothing: Record<string, never>, check: JournalCheck];
  readonly schedule: [entry: ScheduleRequest, done: null];
  readonly schedules: [nothing: Record<string, never>, entries: readonly CronEntry[]];
  readonly unschedule: [entry: { readonly name: string }, done: null];
  readonly memory: [pid: Pid, map: Json];
  readonly health: [nothing: Record<string, never>, rows: readonly HealthRow[]];
  readonly shutdown: [nothing: Record<string, never>, done: null];
}

export type MethodName = keyof Methods;
export type Params<M extends MethodName> = Methods[M][0];
export type Result<M extends MethodName> = Methods[M][1];

/** Where a home's daemon listens. */
export const SOCKET_NAME = "control.sock";
