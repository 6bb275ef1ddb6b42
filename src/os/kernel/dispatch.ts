/**
 * One system call from its arguments to its outcome. The invariant: nothing happens before its
 * intent is journaled, and nothing is told before its result is. A crash anywhere in between leaves
 * an intent without a result, and what is done then is the effect class's word: repeated under the
 * same key, reconciled, or unknown and a person's to settle; never repeated blindly, never told as
 * failed.
 */
import { join, type Label } from "../security/label.ts";
import { type Labelled, wholeLabel } from "../security/labelled.ts";
import {
  closingRecord,
  openingRecord,
  refusedRecord,
  toOutcome,
  wholeRecord,
} from "./call-record.ts";
import { perform } from "./driver.ts";
import { passPolicy } from "./gates/approval.ts";
import { checkCapability } from "./gates/capability.ts";
import { isRefusal, type Passed, type Refusal, type Request } from "./gates/gate.ts";
import { type CallRecord, type Written, writeCall } from "./journal.ts";
import { lasting } from "./lasting.ts";
import { recordLate } from "./late.ts";
import type { Boundary } from "./options.ts";
import { failure } from "./outcome.ts";
import { Interrupted, openFlight, Parked, ProcessEnded, type Running, refresh } from "./running.ts";
import type { KernelState } from "./state.ts";
import { circleNote, fingerprint } from "./stuck.ts";
import type { Outcome, Syscall } from "./syscall.ts";

/** A call as the program makes it. */
export interface Call {
  readonly number: number;
  readonly name: string;
  readonly args: Labelled;
  readonly pc: Label;
  /** When an earlier attempt journaled its intent. */
  readonly since: number | undefined;
}

/** @throws ProcessEnded, Parked; failures are outcomes */
export async function dispatch(state: KernelState, running: Running, call: Call): Promise<Outcome> {
  if (state.stopping) throw new Parked();
  const row = state.calls.get(call.name);
  const flight = openFlight(running, call.number, row?.waits === true);
  const { number, name, args, pc, since } = call;
  const chosenBy = join(wholeLabel(args.labels), pc);
  const base = { state, running, call: number, name, args, pc, chosenBy, flight };
  const request = { ...base, row: row ?? noCall };
  try {
    const outcome = await (since === undefined ? begin(request) : close(request, since, true));
    await reach(request, "after-result");
    return outcome;
  } finally {
    running.flights.delete(flight);
  }
}

/** Stands for a call that is not in the table; never run. */
const noCall: Syscall = {
  name: "",
  doc: "",
  args: {},
  ...{ effect: "pure", access: "read", sinks: {} },
  run: async () => ({ value: null }),
};

async function begin(request: Request): Promise<Outcome> {
  await reach(request, "before-intent");
  for (;;) {
    const passed = await passGates(request);
    if (isRefusal(passed)) return await refuse(request, passed);
    const at = request.state.now();
    const isPure = isOneRecord(request.row);
    const record = isPure ? await runPure(request, passed, at) : openingRecord(request, passed, at);
    const refusal = await commit(request, record);
    if (refusal === "again") continue;
    if (refusal !== undefined) return await refuse(request, refusal);
    if (isPure) return toOutcome(record);
    await reach(request, "after-intent");
    return await close(request, at, false);
  }
}

async function passGates(request: Request): Promise<Refusal | Passed> {
  const { state, running, name, row, args } = request;
  if (row === noCall) return { code: "NO_CALL", message: "no such system call." };
  const unfit = state.checkArguments(row, args.value);
  if (unfit !== undefined) return { code: "ARGUMENTS", message: `${name}: arguments ${unfit}.` };
  if (checkCapability(request) !== undefined) {
    // A grant may have come that this daemon has not heard of yet.
    await lasting(state, () => refresh(state.database.pool, running));
  }
  const { rights } = running;
  const refusal = checkCapability(request);
  if (refusal !== undefined) return refusal;
  try {
    const passed = await passPolicy(request);
    // A person may have taken longer than the right holds.
    return checkCapability(request) ?? { ...passed, rights };
  } catch (error) {
    return interrupted(name, error);
  }
}

/** A wait that a signal or the process's time ended. @throws what is something else */
function interrupted(name: string, error: unknown): Refusal {
  if (!(error instanceof Interrupted)) throw error;
  return { code: error.code, message: `${name}: ${error.message}.` };
}

/** A pure call may run before anything is written: doing it again means nothing. */
function isOneRecord({ effect, waits }: Syscall): boolean {
  return effect === "pure" && waits !== true;
}

async function runPure(request: Request, passed: Passed, at: number): Promise<CallRecord> {
  const done = await perform(request, at, false);
  return wholeRecord(request, passed, { ...done, outcome: noted(request, done.outcome) }, at);
}

/** @param since when the intent was journaled; @param again its end was not */
async function close(request: Request, since: number, again: boolean): Promise<Outcome> {
  const done = await perform(request, since, again);
  await reach(request, "after-effect");
  const noteworthy = { ...done, outcome: noted(request, done.outcome) };
  const record = closingRecord(request, noteworthy, since);
  await commit(request, record);
  return toOutcome(record);
}

async function refuse(request: Request, refusal: Refusal): Promise<Outcome> {
  const outcome = failure(refusal.code, refusal.message, { label: request.chosenBy });
  const record = refusedRecord(request, refusal, noted(request, outcome));
  await commit(request, record);
  return toOutcome(record);
}

/** With what the kernel has to say to whoever plans: that this went in circles, if it did. */
function noted({ running, row, call, name, args }: Request, outcome: Outcome): Outcome {
  const print = fingerprint(name, args.value, outcome);
  const times = running.loops.see(call, row.waits === true, print);
  const note = running.notes.get(call) ?? circleNote(times);
  return note === undefined ? outcome : { ...outcome, note };
}

/** @returns why it is not written; "again": the gates must look again. @throws ProcessEnded, Parked */
async function commit(
  request: Request,
  record: CallRecord,
): Promise<Refusal | "again" | undefined> {
  const { state, running, name } = request;
  const written = await lasting(state, () => writeCall(state.database.pool, record));
  // Our own write whose answer was lost: under our token nobody else writes.
  if (written === "ok" || written === "taken") return undefined;
  if (written === "ended" || written === "lost") return await tooLate(request, record, written);
  if (written !== "rights" && written !== "stopped") return refusalOf(name, written);
  // After a stop, however long it was: rights, approvals and time are looked at as they are then.
  try {
    if (written === "stopped") await untilContinued(request);
  } catch (error) {
    return interrupted(name, error);
  }
  await lasting(state, () => refresh(state.database.pool, running));
  return "again";
}

function refusalOf(
  name: string,
  written: Exclude<Written, "ok" | "taken" | "stopped" | "rights">,
): Refusal {
  if (written === "ticket") {
    return { code: "APPROVAL", message: `${name}: an approval holds once and in time, got none.` };
  }
  const limit = written.slice("budget ".length);
  return { code: "BUDGET", message: `${name}: the budget must cover it, got no ${limit} left.` };
}

async function tooLate(
  request: Request,
  record: CallRecord,
  written: "ended" | "lost",
): Promise<never> {
  if (record.kind === "result" && !record.opens) await recordLate(request, record.body);
  if (written === "lost") throw new Parked();
  throw new ProcessEnded(`process ${request.running.pid} has ended`);
}

async function untilContinued({ state, running, flight }: Request): Promise<void> {
  const look = async (): Promise<true | undefined> => {
    const { rows } = await state.database.pool.query(
      "select from process where pid = $1 and stopped and ended_at is null",
      [running.pid],
    );
    return rows.length === 0 ? true : undefined;
  };
  await state.wakeups.until(running.pid, () => lasting(state, look), flight.controller.signal);
}

async function reach({ state, running, call }: Request, boundary: Boundary): Promise<void> {
  await state.atBoundary?.(boundary, running.pid, call);
}
