/**
 * A system call: one row of the one table, and the only way to any effect. The kernel takes each
 * call through the same gates: arguments → capability → policy → budget → journal the intent →
 * driver → journal the result. A driver does one thing and knows nothing of the gates.
 */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { Priority } from "../scheduler/policy.ts";
import type { Capability } from "../security/capability.ts";
import type { Label } from "../security/label.ts";
import type { Json, Labelled, LabelTree } from "../security/labelled.ts";
import type { SinkKind } from "../security/policy.ts";

/**
 * What doing it again means. `pure`: nothing. `idempotent`: the same key is one effect.
 * `reconcilable`: the driver can find out whether it happened. `irreversible`: nobody can, so that
 * after a crash its outcome is unknown and a person's to settle.
 */
export type Effect = "pure" | "idempotent" | "reconcilable" | "irreversible";

/** What a call can do to the world beyond the process. */
export type Access = "read" | "write" | "egress";

export interface Syscall {
  /** "device.method", as in "files.read". */
  readonly name: string;
  /** One sentence for people and models. */
  readonly doc: string;
  /** JSON Schema of the arguments' object; closed (`additionalProperties: false`). */
  readonly args: Readonly<Record<string, unknown>>;
  readonly effect: Effect;
  readonly access: Access;
  /** By argument; one that is not named is a `target` where the call writes, else `neutral`. */
  readonly sinks: Readonly<Record<string, SinkKind>>;
  /** Before it runs; what it really cost comes with its result. */
  readonly cost?: (args: Json) => Cost;
  /** The call waits for somebody (sleep, recv, ask): a signal may end it early. */
  readonly waits?: true;
  readonly run: (args: Labelled, context: CallContext) => Promise<CallResult>;
  /** Of `reconcilable` calls: did the call with this key happen? */
  readonly reconcile?: (args: Labelled, context: CallContext) => Promise<Reconciled>;
}

export interface CallResult {
  readonly value: Json;
  /**
   * Absent: shaped by `tool:NAME`, for the owner's eyes only. In any case the kernel joins the
   * labels of the arguments, which chose the result.
   */
  readonly labels?: LabelTree;
  readonly cost?: Cost;
}

export type Reconciled =
  | { readonly happened: true; readonly result: CallResult }
  | { readonly happened: false }
  /** It cannot be told: the call's outcome is unknown. */
  | { readonly happened: undefined };

/** What is spent and budgeted. */
export interface Cost {
  readonly tokens?: number;
  /** Millionths of a dollar. */
  readonly microUsd?: number;
  readonly calls?: number;
}

/** What a driver may know of who calls. */
export interface CallContext {
  readonly pid: number;
  /** Number of the call within its process, from 1. */
  readonly call: number;
  /** Same call, same key, however often it is tried: idempotency key for the world outside. */
  readonly key: string;
  /** True when an earlier attempt began and its end was never journaled. */
  readonly again: boolean;
  /** The person for whom the process runs, as a reader's name. */
  readonly owner: string;
  /** Tree of files that the process sees as its own. */
  readonly fileTree: string;
  readonly capabilities: readonly Capability[];
  /** Of the process, now: it may be reniced under way. Absent: nice 0. */
  readonly priority?: Priority;
  /** What decided that the call is made; a driver that stores something joins it into its label. */
  readonly pc: Label;
  /** Aborts when the process is killed, or the call's time is over. */
  readonly signal: AbortSignal;
  /**
   * Milliseconds since 1970 when this call's intent was journaled: the same in every attempt, so
   * that "in five minutes" means the same after a crash.
   */
  readonly since: number;
  /** Starts a program of this machine that dies with the process, all its descendants included. */
  readonly spawnOnHost: SpawnOnHost;
  /** Puts a question to a person and waits, across restarts; resolves with what was typed. */
  readonly ask: (card: Json) => Promise<string>;
}

/** As `child_process.spawn`, never through a shell. */
export type SpawnOnHost = (
  file: string,
  args: readonly string[],
  options?: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> },
) => Promise<ChildProcessWithoutNullStreams>;

/** What a process gets back: failures are values. */
export type Outcome = (
  | { readonly status: "ok"; readonly value: Labelled }
  | { readonly status: "error"; readonly error: CallError; readonly labels: LabelTree }
  /** It may have happened; a person has been asked. Never repeated, never reported as failed. */
  | { readonly status: "unknown"; readonly ticket: number; readonly labels: LabelTree }
) & {
  /** From the kernel to whoever plans, as "the same call had the same result 3 times". */
  readonly note?: string;
};

export type CallErrorCode =
  | "NO_CALL" // no such row in the table
  | "ARGUMENTS" // the schema refuses them, they are too large, or a key is a prototype's name
  | "CAPABILITY" // no capability covers the call
  | "POLICY" // the policy denies it
  | "APPROVAL" // a person said no, nobody may be asked, or the answer came too late
  | "BUDGET" // it would cost more than is left
  | "INTERRUPTED" // a signal ended the wait
  | "TIMEOUT"
  | "NO_PROCESS" // no such process, or not one of yours
  | "DEADLOCK" // waiting would never end: a cycle of waits
  | "DEVICE"; // the driver failed; the message says how

export interface CallError {
  readonly code: CallErrorCode;
  /** One line, `where: rule, got values. hint`; carries no untrusted text. */
  readonly message: string;
  /** What the outside said, if it said something: untrusted, labelled by the outcome's labels. */
  readonly detail?: Json;
}
