/**
 * The kernel as people and shells see it: what every command of `nutshell` asks for, whichever
 * daemon answers. All state is in Postgres, so that any daemon can answer for any process.
 */
import type { Capability } from "../security/capability.ts";
import type { Json } from "../security/labelled.ts";
import type { Verdict } from "../security/policy.ts";
import type { Exit, ProcessRecord, Signal, SpawnRequest } from "./process.ts";
import type { Syscall } from "./syscall.ts";

export interface Kernel extends AsyncDisposable {
  /** The table of system calls: the devices' rows and its own. */
  readonly table: readonly Syscall[];
  /** @returns the new process's number */
  spawn(request: SpawnRequest): Promise<number>;
  processes(filter?: { readonly all?: boolean }): Promise<readonly ProcessRecord[]>;
  process(pid: number): Promise<ProcessRecord | undefined>;
  /** @returns pids that were reached */
  signal(pid: number, signal: Signal, scope?: "one" | "tree" | "group"): Promise<readonly number[]>;
  /** Waits for its end and reaps it. */
  wait(pid: number, signal?: AbortSignal): Promise<Exit>;
  /** A second process with the same past up to (not with) call `at`; files are copied on write. */
  fork(pid: number, at?: number): Promise<number>;
  renice(pid: number, nice: number): Promise<void>;
  grant(pid: number, capability: Capability): Promise<void>;
  /** Takes back what matches `call`, from the whole tree below too. */
  revoke(pid: number, call: string): Promise<number>;
  /** What waits for a person: approvals, endorsements, questions, unknown outcomes. */
  tickets(filter?: { readonly pid?: number; readonly all?: boolean }): Promise<readonly Ticket[]>;
  answer(ticket: number, answer: TicketAnswer): Promise<void>;
  /** Starts a process whenever the clock says so; replaces what has its name. */
  schedule(entry: CronEntry): Promise<void>;
  schedules(): Promise<readonly CronEntry[]>;
  unschedule(name: string): Promise<void>;
  /** Journal of a process from record `from` on: `strace`. */
  journal(pid: number, from?: number): Promise<readonly JournalRecord[]>;
  /** Checks every chain, and the anchors outside the database. */
  verifyJournal(): Promise<JournalCheck>;
}

export interface CronEntry {
  readonly name: string;
  /** Five or six fields, as in crontab(5), seconds first when there are six. */
  readonly cron: string;
  /** As in "Europe/Berlin"; default UTC. */
  readonly timeZone?: string;
  readonly request: Omit<SpawnRequest, "parent" | "key">;
}

/** A card that a person sees; made by code from labels, never by a model. */
export interface Ticket {
  readonly id: number;
  readonly pid: number;
  readonly call: number;
  readonly kind: "approve" | "endorse" | "question" | "unknown";
  readonly state: "open" | "granted" | "denied" | "used" | "expired" | "settled";
  /** Call, exact arguments, where each came from, why it is asked; inert text. */
  readonly card: Json;
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly answer?: Json;
}

export type TicketAnswer =
  | { readonly kind: "grant" }
  | { readonly kind: "deny" }
  /** To a question: what the person typed. */
  | { readonly kind: "reply"; readonly text: string }
  /** Of an unknown outcome: it happened (with this result), or it did not. */
  | { readonly kind: "happened"; readonly value?: Json }
  | { readonly kind: "did-not-happen" };

export interface JournalRecord {
  readonly pid: number;
  /** Place in the process's chain, from 1. */
  readonly index: number;
  readonly kind: "start" | "intent" | "result" | "late" | "signal" | "ticket" | "grant" | "exit";
  /** Number of the call it belongs to. */
  readonly call?: number;
  readonly at: number;
  /** Canonical JSON, exactly as hashed. */
  readonly body: string;
  /** SHA-256 over the record before it and this one, in hex. */
  readonly hash: string;
}

/** Body of an "intent" record. */
export interface IntentBody {
  readonly name: string;
  readonly args: Json;
  readonly labels: Json;
  readonly pc: Json;
  readonly verdict: Verdict;
  readonly effect: string;
}

/** Body of a "result" or "late" record. */
export interface ResultBody {
  /** Of a pure call, and of one that was refused: intent and result are one record. */
  readonly intent?: IntentBody;
  readonly status: "ok" | "error" | "unknown";
  readonly value?: Json;
  /** `CallError` of a call that failed. */
  readonly error?: Json;
  /** Of an unknown outcome: the person's ticket. */
  readonly ticket?: number;
  /** Label tree of the value, as JSON. */
  readonly labels: Json;
  readonly cost?: { readonly tokens?: number; readonly microUsd?: number; readonly calls?: number };
  /** From intent to result, in milliseconds. */
  readonly ms: number;
  /** See `Outcome`. */
  readonly note?: string;
}

export interface JournalCheck {
  readonly ok: boolean;
  readonly processes: number;
  readonly records: number;
  readonly problems: readonly {
    readonly pid: number;
    readonly index: number;
    readonly text: string;
  }[];
}
