/** What a daemon gives its kernel to boot with. */
import type { Database } from "../../durable/database.ts";
import type { Policy } from "../security/policy.ts";
import type { Program } from "./process.ts";
import type { Syscall } from "./syscall.ts";

export interface KernelOptions {
  readonly database: Database;
  /** Name of this daemon's slot: a daemon that comes back under it carries on at once. */
  readonly executorId: string;
  /** Rows of the devices; the kernel adds its own (`process.*`, `mail.*`, `time.*`). */
  readonly syscalls: readonly Syscall[];
  /** By name; those that choose among calls are made with the whole table. */
  readonly programs: Programs | ((table: readonly Syscall[]) => Programs);
  /** Default: the table. */
  readonly policy?: Policy;
  /** Where signed heads of all journals are appended; beside it lies the key, mode 0600. */
  readonly anchorFile?: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** After which a daemon that does not beat is taken for dead. */
  readonly staleMs?: number;
  /** For which an approval holds once it is asked for. Default a day. */
  readonly approvalMs?: number;
  /** Alive at once in one tree. Default 1,000. */
  readonly mostProcesses?: number;
  /** Programs whose choices come from a model: when they go in circles, another way is tried. */
  readonly modelDriven?: readonly string[];
  /** Told in a line what a person may want to know: deaths of daemons, lost connections. */
  readonly notice?: (text: string) => void;
  /** Called when a process is forked, perhaps twice: what devices keep of it is copied. */
  readonly onFork?: (fork: Forked) => Promise<void>;
  /** Called, and waited for, at each boundary of the journal: where a test lets the daemon die. */
  readonly atBoundary?: (boundary: Boundary, pid: number, call: number) => void | Promise<void>;
}

export type Programs = Readonly<Record<string, Program>>;

/** `to` begins as `from` was before its call `before`. */
export interface Forked {
  readonly from: { readonly pid: number; readonly tree: string };
  readonly to: { readonly pid: number; readonly tree: string };
  readonly before: number;
}

export type Boundary = "before-intent" | "after-intent" | "after-effect" | "after-result";
