/**
 * A process's name that is never given again: its number and, where Linux tells it, its start
 * time. Kept in files, it says whether who wrote them still lives.
 */
import { readFileSync } from "node:fs";

/** As in `4711.123456`, of this process by default. */
export function processMark(pid: number = process.pid): string {
  return `${pid}.${startTicks(pid) ?? 0}`;
}

/** True while the process with that mark lives. */
export function isSameProcess(mark: string): boolean {
  const [pid = 0, ticks = 0] = mark.split(".").map(Number);
  return isAlive(pid) && (startTicks(pid) ?? 0) === ticks;
}

/** Also true for processes of other users, not for one that ended and was not yet waited for. */
export function isAlive(pid: number): boolean {
  if (process.platform === "linux") return startTicks(pid) !== undefined;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Field 22 of /proc/PID/stat; undefined elsewhere than on Linux, and for what has ended. */
function startTicks(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}
