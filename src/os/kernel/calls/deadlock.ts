/**
 * Waits that only one other process can end are edges in the process table. A wait that would close
 * a circle is refused to whoever closes it: nobody in the circle could ever go on.
 */
import { DeviceError } from "../device-error.ts";
import type { KernelState } from "../state.ts";

const circle = `
  with recursive chain (pid) as (
    select $2::int
    union select p.waits_for from process p join chain c on p.pid = c.pid
      where p.waits_for is not null and p.ended_at is null)
  select from chain where pid = $1 limit 1`;

/** Notes that `pid` waits for `other` and nobody else. @throws DeviceError DEADLOCK */
export async function blockOn(state: KernelState, pid: number, other: number): Promise<void> {
  await state.database.transaction(async (client) => {
    // Two that close a circle from both sides look one after the other.
    await client.query("select pg_advisory_xact_lock(hashtextextended('nutshell waits', 0))");
    const { rowCount } = await client.query(circle, [pid, other]);
    if (rowCount !== 0) throw deadlock(other);
    await client.query("update process set waits_for = $2 where pid = $1", [pid, other]);
  });
}

function deadlock(other: number): DeviceError {
  const message = `wait: it must be able to end, got a circle of waits through pid ${other}.`;
  return new DeviceError(message, { code: "DEADLOCK" });
}
