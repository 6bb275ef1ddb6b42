/** A device: a group of system calls made by one driver, and what it needs of the machine. */
import type { Syscall } from "../kernel/syscall.ts";

export interface Device extends AsyncDisposable {
  readonly name: string;
  readonly calls: readonly Syscall[];
  /** Green, or what to install. */
  check(): Promise<Health>;
}

export interface Health {
  readonly ok: boolean;
  /** One line: what was found, or what is missing and how to get it. */
  readonly text: string;
}
