/** A call's wait for a person: until the ticket is answered, expires, or a signal ends it. */
import type { Request } from "./gates/gate.ts";
import { lasting } from "./lasting.ts";
import { interruptIfTold } from "./running.ts";
import { readTicket, type TicketRow } from "./tickets.ts";

/** @throws what the flight was aborted with */
export async function waitForTicket(
  request: Pick<Request, "state" | "running" | "flight" | "name" | "call">,
  opened: TicketRow,
): Promise<TicketRow> {
  const { state, running, flight } = request;
  await showWaiting(request);
  const wasWaiting = flight.waiting;
  flight.waiting = true;
  interruptIfTold(running, flight);
  const expiry = opened.expires_at === null ? undefined : Number(opened.expires_at);
  const look = async (): Promise<TicketRow | undefined> => {
    const row = (await lasting(state, () =>
      readTicket(state.database.pool, opened.id),
    )) as TicketRow;
    if (row.state !== "open") return row;
    const over = row.expires_at !== null && Number(row.expires_at) <= state.now();
    return over ? { ...row, state: "expired" } : undefined;
  };
  try {
    return await state.wakeups.until(running.pid, look, flight.controller.signal, expiry);
  } finally {
    flight.waiting = wasWaiting;
  }
}

/** For `ps`, and for a signal that ends the waits of calls up to now. */
async function showWaiting({
  state,
  running,
  name,
  call,
}: Pick<Request, "state" | "running" | "name" | "call">): Promise<void> {
  await lasting(state, () =>
    state.database.pool.query(
      `update process set state = 'waiting', current = $3, calls = greatest(calls, $4)
     where pid = $1 and runner = $2 and ended_at is null`,
      [running.pid, running.runner, name, call],
    ),
  );
}
