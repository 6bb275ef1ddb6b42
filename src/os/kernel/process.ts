/**
 * A process: a durable workflow with a row in the shared process table. What is here is what `ps`
 * shows and what survives every daemon; how it runs is in `run.ts`.
 */
import type { Capability } from "../security/capability.ts";
import type { Label } from "../security/label.ts";
import type { Json, Labelled } from "../security/labelled.ts";
import type { Outcome } from "./syscall.ts";

/**
 * `ready` to run, `running` a call, `waiting` for somebody, `stopped` by a signal, `zombie` = ended
 * and not yet waited for, `dead` = reaped.
 */
export type ProcessState = "ready" | "running" | "waiting" | "stopped" | "zombie" | "dead";

export type Signal = "TERM" | "KILL" | "STOP" | "CONT" | "INT" | "USR1";

/** How it ended. */
export type Exit =
  | { readonly how: "returned"; readonly value: Json }
  | { readonly how: "failed"; readonly code: string; readonly message: string }
  | { readonly how: "killed"; readonly signal: Signal };

/** Limits; absent = what the parent has left. A child can only have less. */
export interface Budget {
  readonly tokens?: number;
  readonly microUsd?: number;
  readonly calls?: number;
  /** Of wall-clock time since the start. */
  readonly ms?: number;
  /** Bits that untrusted answers may steer before a person is asked. */
  readonly influenceBits?: number;
}

export interface Spent {
  readonly tokens: number;
  readonly microUsd: number;
  readonly calls: number;
}

export interface SpawnRequest {
  /** Name of a registered program. */
  readonly program: string;
  readonly input: Labelled;
  /** What the user typed in this turn, for the policy; children inherit it and cannot set it. */
  readonly userTurn?: string;
  /** For `ps`: the goal in a few words. */
  readonly title?: string;
  /**
   * Its tree of files, as `host:/absolute/folder` that a person named; absent: a new private one.
   * Not for `process.spawn`: a process cannot choose.
   */
  readonly fileTree?: string;
  readonly parent?: number;
  /** Of the first process of a tree; children inherit it. */
  readonly owner?: string;
  /** -20 (much) to 19 (little), as in Unix: weight = 1.25^-nice. */
  readonly nice?: number;
  readonly interactive?: boolean;
  /** Milliseconds since 1970 by which it should be done; orders equals. */
  readonly deadline?: number;
  readonly budget?: Budget;
  /** Absent: the parent's; none for the first process of a tree. */
  readonly capabilities?: readonly Capability[];
  /** What a verdict "ask" does: wait for a person, or fail at once. Default "wait". */
  readonly approvals?: "wait" | "deny";
  /** Starts in its own group; default: the parent's. */
  readonly newGroup?: boolean;
  /** Two requests with one key are one process. */
  readonly key?: string;
}

export interface ProcessRecord {
  readonly pid: number;
  readonly parent?: number;
  readonly group: number;
  readonly program: string;
  readonly title: string;
  readonly owner: string;
  readonly state: ProcessState;
  readonly nice: number;
  readonly interactive: boolean;
  readonly deadline?: number;
  readonly budget: Budget;
  readonly spent: Spent;
  readonly capabilities: readonly Capability[];
  readonly approvals: "wait" | "deny";
  readonly fileTree: string;
  /** The daemon that runs it. */
  readonly executor?: string;
  /** Calls so far, and the one that is under way. */
  readonly calls: number;
  readonly current?: string;
  readonly exit?: Exit;
  readonly startedAt: number;
  readonly endedAt?: number;
}

/** All that a program can do. `call` never throws, but for the process's own end. */
export interface Sys {
  readonly pid: number;
  readonly owner: string;
  readonly input: Labelled;
  /**
   * @param args labelled arguments, an object
   * @param pc label of what decided that this call is made (implicit flow); absent: trusted
   */
  call(name: string, args: Labelled, pc?: Label): Promise<Outcome>;
}

/**
 * What a process runs. It must be a function of its input and its calls' outcomes alone: after a
 * crash it runs again from its start, and calls that were made answer from the journal.
 */
export type Program = (sys: Sys) => Promise<Labelled>;
