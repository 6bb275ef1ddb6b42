/**
 * Ways out of a circle that a note did not end, for programs whose choices come from a model: a
 * second attempt, forked from before the circle, whose end becomes this process's own; and when
 * that goes in circles too, a question to a person.
 */
import { NutshellError } from "../../error.ts";
import { fromLabelTreeJson } from "../security/label-json.ts";
import type { Json } from "../security/labelled.ts";
import type { Ended } from "./exit.ts";
import { fork } from "./fork.ts";
import { lasting } from "./lasting.ts";
import type { Exit } from "./process.ts";
import { type ProcessRow, readRow } from "./process-row.ts";
import { openFlight, type Running } from "./running.ts";
import type { KernelState } from "./state.ts";
import { STUCK } from "./stuck.ts";
import { openTicket } from "./tickets.ts";
import { waitForTicket } from "./wait-for-ticket.ts";

/** Thrown out of a call: what the second attempt came to is what this process comes to. */
export class Became extends Error {
  readonly ended: Ended;

  constructor(ended: Ended) {
    super("another attempt ended for it");
    this.ended = ended;
  }
}

/** After each call. @throws Became; NutshellError DENIED when a person gives it up */
export async function leaveCircle(
  state: KernelState,
  running: Running,
  call: number,
): Promise<void> {
  const { times, first } = running.loops.latest;
  if (times < 2 * STUCK || state.modelDriven?.includes(running.program) !== true) return;
  if (running.unstuck === 0) throw new Became(await tryAgain(state, running, call, first));
  running.notes.set(call + 1, await askForHelp(state, running, call));
  running.loops.clear();
}

async function tryAgain(
  state: KernelState,
  running: Running,
  call: number,
  at: number,
): Promise<Ended> {
  const key = `${state.instance}:${running.pid}:${call}:again`;
  const child = await lasting(state, () =>
    fork(state, { pid: running.pid, at, key, as: "attempt" }),
  );
  const look = async (): Promise<ProcessRow | undefined> => {
    const row = await lasting(state, () => readRow(state.database.pool, child));
    return row?.exit == null ? undefined : row;
  };
  const row = await state.wakeups.until(child, look, running.ended.signal);
  const labels = row.exit_labels === null ? undefined : JSON.parse(row.exit_labels);
  const exit = JSON.parse(row.exit as string) as Exit;
  return { exit, ...(labels && { labels: fromLabelTreeJson(labels) }) };
}

async function askForHelp(state: KernelState, running: Running, call: number): Promise<string> {
  const card: Json = { why: "it repeats a call with the same result and cannot get on", call };
  const opened = await openTicket(state, {
    ...{ pid: running.pid, call, kind: "question", card, createdAt: state.now() },
  });
  const flight = openFlight(running, call, true);
  try {
    const waiting = { state, running, flight, call, name: "question" };
    const { answer } = await waitForTicket(waiting, opened);
    const said = answer === null ? undefined : (JSON.parse(answer) as { text?: string });
    if (said?.text !== undefined) return `the user says: ${said.text}`;
  } finally {
    running.flights.delete(flight);
  }
  throw new NutshellError("DENIED", `pid ${running.pid}: it went in circles, got no help.`);
}
