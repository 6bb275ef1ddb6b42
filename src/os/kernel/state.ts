/**
 * What the kernel's parts share in one daemon. Only `running` is this daemon's own; everything else
 * that matters is in Postgres, so that any daemon can go on from there.
 */
import type { Executor } from "../../durable/executor.ts";
import type { CheckArguments } from "./gates/arguments.ts";
import type { HostProcesses } from "./host-process.ts";
import type { KernelOptions, Programs } from "./options.ts";
import type { Running } from "./running.ts";
import type { Syscall } from "./syscall.ts";
import type { Wakeups } from "./wakeups.ts";

export interface KernelState extends Omit<KernelOptions, "programs"> {
  readonly programs: Programs;
  readonly now: () => number;
  readonly wakeups: Wakeups;
  readonly calls: ReadonlyMap<string, Syscall>;
  readonly checkArguments: CheckArguments;
  /** Name of this database among all in the world: part of every call's key. */
  readonly instance: string;
  /** Seals approvals and anchors. */
  readonly key: Uint8Array;
  readonly host: HostProcesses;
  /** Processes that run in this daemon. */
  readonly running: Map<number, Running>;
  /** Known once it is launched, which begins to run what was left. */
  readonly executor: Promise<Executor>;
  /** Runs outside of any workflow's context: a process's own calls are no steps of the executor. */
  readonly outside: <T>(run: () => T) => T;
  /** No call begins any more. */
  stopping: boolean;
  /** Aborts when the daemon lets go of everything. */
  readonly closing: AbortController;
}
