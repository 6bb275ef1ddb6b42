/**
 * Runs a call's driver and makes an outcome of whatever it does: a result, a named failure, an
 * exception, silence until a signal. Of a call that somebody else can see and that ended without
 * a word, nobody knows whether it happened: its outcome is unknown.
 */

import { inertLine } from "../../inert-text.ts";
import type { Json } from "../security/labelled.ts";
import { closingRecord } from "./call-record.ts";
import { DeviceError } from "./device-error.ts";
import type { Request } from "./gates/gate.ts";
import { lasting } from "./lasting.ts";
import { recordLate } from "./late.ts";
import { countable, failure, type Performed, resultLabels } from "./outcome.ts";
import { Interrupted, Parked, ProcessEnded } from "./running.ts";
import type { CallContext, CallResult } from "./syscall.ts";
import { openTicket } from "./tickets.ts";
import { waitForTicket } from "./wait-for-ticket.ts";

/**
 * @param since when its intent was journaled, milliseconds since 1970
 * @param again an earlier attempt began, and its end was never journaled
 * @throws ProcessEnded, Parked
 */
export async function perform(request: Request, since: number, again: boolean): Promise<Performed> {
  const { row, flight } = request;
  const repeatable = row.effect === "pure" || row.effect === "idempotent";
  if (again && !repeatable && row.reconcile === undefined) return await unknown(request);
  const context = toContext(request, since, again);
  const driver = startDriver(request, context, again && !repeatable);
  try {
    return toPerformed(request, await orAborted(driver, flight.controller.signal));
  } catch (error) {
    const { signal } = flight.controller;
    // A driver that ends because of the signal says so in its own way; the signal knows why.
    const reason = signal.aborted && !(error instanceof DeviceError) ? signal.reason : error;
    if (reason instanceof ProcessEnded) void evenIfLate(request, driver, since);
    if (row.reconcile !== undefined && isBreak(reason))
      return await afterBreak(request, context, reason);
    return await failed(request, reason);
  }
}

/** Neither the driver's own word for how it failed, nor a signal's. */
function isBreak(reason: unknown): boolean {
  const told = [DeviceError, Interrupted, ProcessEnded, Parked];
  return !told.some((kind) => reason instanceof kind);
}

/** What broke in the middle may have happened all the same: it is asked for, as after a crash. */
async function afterBreak(
  request: Request,
  context: CallContext,
  error: unknown,
): Promise<Performed> {
  const { state, row, args } = request;
  const look = async () => (await row.reconcile?.(args, context)) ?? { happened: undefined };
  const found = await lasting(state, look).catch((failure: unknown) => {
    if (failure instanceof Parked) throw failure;
    // A driver's own word: what broke did not come to pass, and never will.
    const denied = failure instanceof DeviceError && !failure.uncertain;
    return { happened: denied ? (false as const) : undefined };
  });
  if (found.happened === true) return await toPerformed(request, found.result);
  return found.happened === false ? await failed(request, error) : await unknown(request);
}

/** "unknown" of a reconciled call: it cannot be told. */
async function startDriver(
  { row, args }: Request,
  context: CallContext,
  reconcile: boolean,
): Promise<CallResult | "unknown"> {
  if (!reconcile || row.reconcile === undefined) return await row.run(args, context);
  const found = await row.reconcile(args, context);
  if (found.happened === true) return found.result;
  return found.happened === false ? await row.run(args, context) : "unknown";
}

async function toPerformed(request: Request, result: CallResult | "unknown"): Promise<Performed> {
  if (result === "unknown") return await unknown(request);
  const { name, running, chosenBy } = request;
  const labels = resultLabels(name, running.owner, result.labels, chosenBy);
  return {
    outcome: { status: "ok", value: { value: result.value, labels } },
    cost: countable(result.cost),
  };
}

async function failed(request: Request, error: unknown): Promise<Performed> {
  if (error instanceof ProcessEnded || error instanceof Parked) throw error;
  const { name, row, running, chosenBy } = request;
  const seen = row.effect === "irreversible" || row.effect === "reconcilable";
  if (seen && isUncertain(error, row.effect)) return await unknown(request);
  const { code, message, detail, labels } = toFailure(name, error);
  const all = resultLabels(name, running.owner, labels, chosenBy);
  return { outcome: failure(code, message, all, detail), cost: {} };
}

/** Whether it may have happened all the same. */
function isUncertain(error: unknown, effect: string): boolean {
  if (error instanceof DeviceError) return error.uncertain;
  return error instanceof Interrupted || effect === "irreversible";
}

function toFailure(
  name: string,
  error: unknown,
): Pick<DeviceError, "code" | "message" | "detail" | "labels"> {
  if (error instanceof DeviceError) return error;
  const none = { detail: undefined, labels: undefined };
  if (error instanceof Interrupted) {
    return { code: error.code, message: `${name}: ${error.message}.`, ...none };
  }
  // An exception's text may be the outside's: only a code of capitals is told as our own words.
  const { code, message } = error as NodeJS.ErrnoException;
  const word =
    typeof code === "string" && /^[A-Z][A-Z0-9_]{0,40}$/.test(code) ? code : "an exception";
  const detail: Json = inertLine(String(message), 500);
  return {
    code: "DEVICE",
    message: `${name}: the driver failed, got ${word}.`,
    detail,
    labels: undefined,
  };
}

async function unknown(request: Request): Promise<Performed> {
  const { state, running, call, name, args, row, chosenBy } = request;
  const card = { call: name, args: args.value, effect: row.effect, why: "its end is not recorded" };
  const ticket = await openTicket(state, {
    ...{ pid: running.pid, call, kind: "unknown", card, createdAt: state.now() },
  });
  const labels = resultLabels(name, running.owner, undefined, chosenBy);
  return { outcome: { status: "unknown", ticket: ticket.id, labels }, cost: {} };
}

/** The driver goes on by itself when the signal comes first. */
async function orAborted<T>(driver: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  driver.catch(() => {});
  try {
    return await Promise.race([driver, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The process is gone; what its driver still achieves is evidence. */
async function evenIfLate(
  request: Request,
  driver: Promise<CallResult | "unknown">,
  since: number,
): Promise<void> {
  if (request.row.effect === "pure") return;
  try {
    const result = await driver.catch((error: unknown) => {
      if (error instanceof DeviceError && !error.uncertain) return error;
      return "unknown" as const;
    });
    if (result === "unknown") return;
    const done =
      result instanceof DeviceError
        ? await failed(request, result)
        : await toPerformed(request, result);
    await recordLate(request, closingRecord(request, done, since).body);
  } catch {
    // The daemon stops, or nothing can be journaled: the ticket stays open, which is the truth.
  }
}

function toContext(request: Request, since: number, again: boolean): CallContext {
  const { state, running, call, flight } = request;
  const { pid, owner, fileTree, capabilities, interactive, deadline } = running;
  return {
    ...{ pid, call, again, owner, fileTree, capabilities, since },
    key: `${state.instance}:${pid}:${call}`,
    priority: {
      ...{ interactive, ...(deadline !== undefined && { deadline }) },
      get nice() {
        return running.nice;
      },
    },
    pc: request.pc,
    signal: flight.controller.signal,
    spawnOnHost: (file, args, options) => state.host.spawn(pid, file, args, options),
    ask: (card) => ask(request, card),
  };
}

async function ask(request: Request, card: Json): Promise<string> {
  const { state, running, call, name } = request;
  const opened = await openTicket(state, {
    ...{ pid: running.pid, call, kind: "question", card, createdAt: state.now() },
  });
  const { answer } = await waitForTicket(request, opened);
  const said = answer === null ? undefined : (JSON.parse(answer) as { text?: string });
  if (said?.text !== undefined) return said.text;
  throw new DeviceError(`${name}: a person must answer, got a refusal.`, { code: "APPROVAL" });
}
