/** How a process ended, for people and programs. */
import { type ErrorCode, NutshellError } from "../../error.ts";
import { inertLine } from "../../inert-text.ts";
import type { Exit } from "../../os/kernel/process.ts";
import type { Json } from "../../os/security/labelled.ts";
import type { CommandIo } from "../command.ts";

/** @throws PROCESS when it did not return */
export function showExit(pid: number, exit: Exit, io: CommandIo): void {
  if (io.json) io.stdout(`${JSON.stringify({ pid, exit })}\n`);
  else if (exit.how === "returned") io.show(`${renderValue(exit.value)}\n`);
  if (exit.how === "killed") throw failed(pid, `ended by ${exit.signal}`);
  if (exit.how === "failed") throw failed(pid, `${exit.code}: ${inertLine(exit.message, 2000)}`);
}

function failed(pid: number, how: string): NutshellError {
  const code: ErrorCode = "PROCESS";
  return new NutshellError(
    code,
    `pid ${pid}: it did not return, got ${how} See nutshell strace ${pid}.`,
  );
}

/** An answer in plain text stands alone; anything else is JSON. */
export function renderValue(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}
