/** Whom a process may touch: those below it, and nobody else. */
import { DeviceError } from "../device-error.ts";
import { type ProcessRow, readRow } from "../process-row.ts";
import type { KernelState } from "../state.ts";
import type { CallContext } from "../syscall.ts";

/** @throws DeviceError NO_PROCESS: also of one that exists, since that is not the caller's to know */
export async function below(
  state: KernelState,
  pid: number,
  context: Pick<CallContext, "pid">,
): Promise<ProcessRow> {
  const row = await readRow(state.database.pool, pid);
  if (row !== undefined && row.pid !== context.pid && row.path.includes(context.pid)) return row;
  throw new DeviceError(`process: it must be one below you, got pid ${pid}.`, {
    code: "NO_PROCESS",
  });
}
