/** The machine's own process table, read from Linux's /proc: proc(5). */
import { readdirSync, readFileSync } from "node:fs";

/** One process of the machine. */
export interface OnHost {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  readonly state: string;
  /** In clock ticks since boot: with the pid, a name that is never used again until a reboot. */
  readonly started: string;
}

/** Changes with every boot of the machine. */
export function bootId(): string {
  return tryRead("/proc/sys/kernel/random/boot_id")?.trim() ?? "unknown";
}

export function readStart(pid: number): string | undefined {
  return readOnHost(pid)?.started;
}

export function listHost(): readonly OnHost[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readOnHost(Number(name)))
    .filter((one) => one !== undefined);
}

/** Whether its environment holds one of these `name=value`; false where it may not be read. */
export function hasInEnvironment(pid: number, texts: ReadonlySet<string>): boolean {
  const all = tryRead(`/proc/${pid}/environ`)?.split("\0") ?? [];
  return all.some((text) => texts.has(text));
}

function readOnHost(pid: number): OnHost | undefined {
  const stat = tryRead(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name in parentheses may hold anything, parentheses too.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state = "", parent, , session] = fields;
  return {
    ...{ pid, state, parent: Number(parent), session: Number(session) },
    started: fields[19] ?? "",
  };
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}
