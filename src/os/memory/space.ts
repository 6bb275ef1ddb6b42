/**
 * Whose memory a text is in, and who may read there. `proc:PID` is one process's own, `tree:PID`
 * what PID shares with all below it; any other name is a space that outlives processes. A process
 * reads its own, and what those above it share. Everything else needs a capability that names the
 * space (`where: { space: … }`): an unlimited right to `memory.*` is one to one's own memory.
 */
import { DeviceError } from "../kernel/device-error.ts";
import type { CallContext } from "../kernel/syscall.ts";
import { type Capability, covers } from "../security/capability.ts";

/** Who asks, for the right to what. */
export type Asker = Pick<CallContext, "pid" | "owner" | "capabilities" | "since">;

export const ownSpace = (pid: number): string => `proc:${pid}`;
export const treeSpace = (pid: number): string => `tree:${pid}`;

const named = /^[a-z][a-z0-9-]{0,31}:[\w./@-]{1,128}$/;

/** "own" and "tree" by their full names. @throws DeviceError ARGUMENTS for what is no name */
export function spaceOf(asked: string | undefined, pid: number): string {
  if (asked === undefined || asked === "own") return ownSpace(pid);
  if (asked === "tree") return treeSpace(pid);
  if (named.test(asked)) return asked;
  const rule = "memory: a space must be own, tree or KIND:NAME, got another";
  throw new DeviceError(`${rule}. Take a name such as app:notes.`, { code: "ARGUMENTS" });
}

/** What it may read without a capability, nearest first. */
export function openSpaces(pid: number, ancestors: readonly number[]): readonly string[] {
  return [ownSpace(pid), treeSpace(pid), ...ancestors.map(treeSpace)];
}

/** A capability of the asker names this space, for this call. */
export function isGranted(space: string, call: string, asker: Asker): boolean {
  return asker.capabilities.some((capability) => {
    const bound = capability.where?.space;
    if (bound === undefined) return false;
    const alone: Capability = { ...capability, where: { space: bound } };
    return covers([alone], call, { space }, asker.since);
  });
}

/** One answer for what is not there and for what is not one's own: refs tell nothing. */
export function noSuchPage(call: string): DeviceError {
  return new DeviceError(
    `${call}: ref must be of a page that the process may read, got another. ` +
      "memory.list and memory.search show refs.",
    { code: "ARGUMENTS" },
  );
}

export interface Ref {
  readonly pid: number;
  readonly n: number;
}

/** @returns undefined for anything but `mem:PID/N` */
export function parseRef(ref: string): Ref | undefined {
  const match = /^mem:([1-9]\d{0,8})\/([1-9]\d{0,8})$/.exec(ref);
  return match === null ? undefined : { pid: Number(match[1]), n: Number(match[2]) };
}

export function refOf({ pid, n }: Ref): string {
  return `mem:${pid}/${n}`;
}
