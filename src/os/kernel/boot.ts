/**
 * Boots the kernel of one daemon: its part of the process table that all daemons share.
 */
import type { Database } from "../../durable/database.ts";
import type { Kernel } from "./kernel.ts";
import type { Program } from "./process.ts";
import type { Syscall } from "./syscall.ts";

export interface KernelOptions {
  readonly database: Database;
  /** Name of this daemon's slot: a daemon that comes back under it carries on at once. */
  readonly executorId: string;
  /** Rows of the devices; the kernel adds its own (`process.*`, `mail.*`, `time.*`). */
  readonly syscalls: readonly Syscall[];
  readonly programs: Readonly<Record<string, Program>>;
  /** Where signed heads of all journals are appended; beside it lies the key, mode 0600. */
  readonly anchorFile?: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** After which a daemon that does not beat is taken for dead. */
  readonly staleMs?: number;
  /** Called when a process is forked: makes `toTree` a copy of `fromTree`. */
  readonly onFork?: (fromTree: string, toTree: string) => Promise<void>;
  /** Called at each boundary of the journal; where a test makes the daemon die. */
  readonly atBoundary?: (boundary: Boundary, pid: number, call: number) => void;
}

export type Boundary = "before-intent" | "after-intent" | "after-effect" | "after-result";

/** @throws NutshellError DATABASE when the tables were made by a newer program */
export function bootKernel(_options: KernelOptions): Promise<Kernel> {
  throw new Error("bootKernel");
}
