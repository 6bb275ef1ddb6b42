/** A statement that outlives the server: repeated until it gets through or the daemon stops. */
import { isServerLost } from "../../durable/database.ts";
import { Parked } from "./running.ts";
import type { KernelState } from "./state.ts";

/** @param run may be done twice. @throws Parked when the daemon stops meanwhile */
export async function lasting<T>(
  state: Pick<KernelState, "database" | "closing">,
  run: () => Promise<T>,
): Promise<T> {
  for (;;) {
    if (state.closing.signal.aborted) throw new Parked();
    try {
      return await state.database.retry(run);
    } catch (error) {
      if (state.closing.signal.aborted) throw new Parked();
      if (!isServerLost(error)) throw error;
    }
  }
}
