/**
 * What was learned too late: a daemon that was taken for dead, or a driver of a killed process,
 * finds that its effect happened after all. It goes into the journal as evidence, changes nothing
 * that the process saw, and settles the question to a person if there is one.
 */
import type { Request } from "./gates/gate.ts";
import { appendRecord } from "./journal.ts";
import type { ResultBody } from "./kernel.ts";
import { lasting } from "./lasting.ts";
import { moveTicket, type TicketRow } from "./tickets.ts";

/** @param body of the result record that came too late */
export async function recordLate(request: Request, body: string): Promise<void> {
  const { state, running, call } = request;
  const { pid } = running;
  const at = state.now();
  await lasting(state, () =>
    state.database.transaction(async (client) => {
      await appendRecord(client, [pid], { kind: "late", call, at, body });
      const { rows } = await client.query<TicketRow>(
        "select * from ticket where pid = $1 and call = $2 and kind = 'unknown' and state = 'open'",
        [pid, call],
      );
      const { status } = JSON.parse(body) as ResultBody;
      if (rows[0] === undefined || status === "unknown") return;
      const answer = status === "ok" ? "happened" : "did-not-happen";
      await moveTicket(client, rows[0], "settled", at, `{"kind":"${answer}","late":true}`);
    }),
  );
}
