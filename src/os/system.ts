/**
 * The operating system as its shells see it: one daemon's door to the kernel that all daemons on
 * a database share, and to what this machine has. A shell that goes away cancels nothing.
 */
import type { PlannerMode } from "./apps/manifest.ts";
import type { Health } from "./devices/device.ts";
import type { Kernel } from "./kernel/kernel.ts";
import type { Budget } from "./kernel/process.ts";
import type { Json } from "./security/labelled.ts";

/** What a person asks for: a goal in plain language, or a plan that is run as it stands. */
export interface RunRequest {
  readonly goal?: string;
  /** Text in the plan language, instead of a planner's. */
  readonly plan?: string;
  /** Name of an installed app, or its folder; absent: the default assistant. */
  readonly app?: string;
  /** Absent: the app's. */
  readonly mode?: PlannerMode;
  /** A folder of this machine that the process may read and write as its own. */
  readonly workspace?: string;
  readonly owner: string;
  readonly budget?: Budget;
  readonly nice?: number;
  readonly deadline?: number;
  /** Somebody waits for it: goes before batch work. */
  readonly interactive?: boolean;
  readonly approvals?: "wait" | "deny";
  /** What was said before in this shell, oldest first. */
  readonly before?: readonly { readonly role: "user" | "assistant"; readonly text: string }[];
}

export interface ScheduleRequest {
  readonly name: string;
  /** Five or six fields, as in crontab(5), seconds first when there are six. */
  readonly cron: string;
  /** As in "Europe/Berlin"; default UTC. */
  readonly timeZone?: string;
  readonly request: RunRequest;
}

export interface HealthRow extends Health {
  readonly name: string;
}

export interface System extends AsyncDisposable {
  readonly kernel: Kernel;
  /** @returns the pid of the process that works on it */
  run(request: RunRequest): Promise<number>;
  /** Does the same whenever the clock says so; replaces what has its name. */
  schedule(entry: ScheduleRequest): Promise<void>;
  /** Pages of a process: which are resident, pinned, how large, from where. */
  memoryMap(pid: number): Promise<Json>;
  /** Every dependency and device: green, or what to install. */
  health(): Promise<readonly HealthRow[]>;
}
