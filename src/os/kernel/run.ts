/**
 * A process from its start, or from its start again after a crash, to its end. The program runs
 * through all its calls; those that the journal knows answer from there. That makes it necessary
 * that a program is a function of its input and its calls' outcomes, which is checked: a call that
 * differs from the journaled one ends the process instead of taking another's result.
 */
import { randomUUID } from "node:crypto";
import { NutshellError } from "../../error.ts";
import { inertLine } from "../../inert-text.ts";
import { canonicalJson } from "../security/canonical.ts";
import { bottom, join, type Label } from "../security/label.ts";
import type { Labelled } from "../security/labelled.ts";
import type { Endorsement } from "../security/policy.ts";
import { dispatch } from "./dispatch.ts";
import { type Ended, endProcess } from "./exit.ts";
import { type PastCall, readPast } from "./journal.ts";
import type { IntentBody, ResultBody } from "./kernel.ts";
import { lasting } from "./lasting.ts";
import { fromResultBody } from "./outcome.ts";
import type { Exit, Sys } from "./process.ts";
import { fromLabelledText, type ProcessRow, toLabelledText } from "./process-row.ts";
import { Interrupted, Parked, ProcessEnded, type Running, toRunning } from "./running.ts";
import type { KernelState } from "./state.ts";
import { fingerprint } from "./stuck.ts";
import type { Outcome } from "./syscall.ts";
import { Became, leaveCircle } from "./unstick.ts";

/** Calls over budget, one after another, that end a process which does not take the hint. */
const MAX_OVER_BUDGET = 100;

interface Life {
  readonly state: KernelState;
  readonly running: Running;
  readonly past: Map<number, PastCall>;
  calls: number;
  overBudget: number;
}

interface Called {
  readonly number: number;
  readonly name: string;
  readonly args: Labelled;
}

/** The workflow. Returns when the process has ended; waits for ever where another run took over. */
export async function runProcess(state: KernelState, pid: number): Promise<void> {
  try {
    const row = await lasting(state, () => claim(state, pid));
    if (row !== undefined) await live(state, row);
  } catch (error) {
    if (error instanceof Parked) await new Promise(() => {});
    if (!(error instanceof ProcessEnded)) throw error;
  }
}

/** From here on the journal takes records of this run alone. */
async function claim(state: KernelState, pid: number): Promise<ProcessRow | undefined> {
  const { rows } = await state.database.pool.query<ProcessRow>(
    `update process set runner = $2, executor = $3
     where pid = $1 and ended_at is null returning *`,
    [pid, randomUUID(), state.executorId],
  );
  return rows[0];
}

async function live(state: KernelState, row: ProcessRow): Promise<void> {
  const { pool } = state.database;
  const past = await lasting(state, () => readPast(pool, row.pid));
  const endorsed = await lasting(state, () => readEndorsements(state, row.pid));
  const running = toRunning(row, row.runner as string, endorsed);
  const life = { state, running, past, calls: 0, overBudget: 0 };
  state.running.set(row.pid, running);
  const alarm = startAlarm(state, running);
  try {
    await endProcess(state, running, await runProgram(life, fromLabelledText(row.input)));
  } finally {
    clearTimeout(alarm);
    if (state.running.get(row.pid) === running) state.running.delete(row.pid);
  }
}

async function readEndorsements(state: KernelState, pid: number): Promise<Endorsement[]> {
  const { rows } = await state.database.pool.query<Endorsement>(
    "select call, argument, digest from endorsement where pid = $1",
    [pid],
  );
  return rows;
}

/** Waits end when the process's time is over; what it calls after that is refused. */
function startAlarm(state: KernelState, running: Running): NodeJS.Timeout | undefined {
  const leftMs = (running.endsAt ?? Number.POSITIVE_INFINITY) - state.now();
  // Beyond Node's timers the journal's own check of each call is enough.
  if (leftMs >= 2 ** 31) return undefined;
  const over = new Interrupted("BUDGET", "the process's time is over");
  const ring = (): void => {
    for (const flight of running.flights) flight.controller.abort(over);
  };
  return setTimeout(ring, Math.max(leftMs, 0));
}

async function runProgram(life: Life, input: Labelled): Promise<Ended> {
  const { state, running } = life;
  try {
    const program = state.programs[running.program];
    if (program === undefined) throw noProgram(running.program);
    const { value, labels } = await orEnded(program(toSys(life, input)), running);
    // What cannot be journaled is told now, while it can end as a failure.
    toLabelledText({ value, labels });
    return { exit: { how: "returned", value }, labels };
  } catch (error) {
    if (error instanceof ProcessEnded || error instanceof Parked) throw error;
    if (error instanceof Became) return error.ended;
    return { exit: toFailedExit(error) };
  }
}

/** A program that swallows its own end does not outlive it. */
async function orEnded<T>(program: Promise<T>, { ended: { signal } }: Running): Promise<T> {
  signal.throwIfAborted();
  const ended = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return await Promise.race([program, ended]);
}

function toFailedExit(error: unknown): Exit {
  const code = error instanceof NutshellError ? error.code : "FAILED";
  const message = error instanceof Error ? error.message : String(error);
  return { how: "failed", code, message: inertLine(message, 500) };
}

function noProgram(name: string): NutshellError {
  return new NutshellError(
    "PROCESS",
    `run: a process must run a program of this daemon, got "${name}". Start the daemon that has it.`,
  );
}

function toSys(life: Life, input: Labelled): Sys {
  const { pid, owner } = life.running;
  return { pid, owner, input, call: (name, args, pc) => makeCall(life, name, args, pc) };
}

async function makeCall(life: Life, name: string, args: Labelled, pc?: Label): Promise<Outcome> {
  const { state, running } = life;
  life.calls += 1;
  const number = life.calls;
  running.ended.signal.throwIfAborted();
  const past = life.past.get(number);
  life.past.delete(number);
  const call = { number, name, args, pc: join(running.pc, pc ?? bottom) };
  if (past !== undefined) checkReplay(running.pid, call, past);
  const outcome =
    past?.result === undefined
      ? await dispatch(state, running, { ...call, since: past?.intent?.at })
      : replay(life, call, past.result.body as unknown as ResultBody);
  await leaveCircle(state, running, number);
  life.overBudget = isOverBudget(outcome) ? life.overBudget + 1 : 0;
  if (life.overBudget < MAX_OVER_BUDGET) return outcome;
  throw new NutshellError("DENIED", `pid ${running.pid}: the budget must last, got none left.`);
}

function replay({ state, running }: Life, call: Called, body: ResultBody): Outcome {
  const outcome = fromResultBody(body);
  const waits = state.calls.get(call.name)?.waits === true;
  running.loops.see(call.number, waits, fingerprint(call.name, call.args.value, outcome));
  return outcome;
}

function isOverBudget(outcome: Outcome): boolean {
  return outcome.status === "error" && outcome.error.code === "BUDGET";
}

/** @throws NutshellError JOURNAL: the program is not what it was, or not a function of its calls */
function checkReplay(pid: number, { number, name, args }: Called, past: PastCall): void {
  const first = past.intent?.body as unknown as IntentBody | undefined;
  const intent = first ?? (past.result?.body as ResultBody | undefined)?.intent;
  if (intent === undefined) return;
  const same = intent.labels === null || canonicalJson(intent.args) === canonicalJson(args.value);
  if (intent.name === name && same) return;
  throw new NutshellError(
    "JOURNAL",
    `pid ${pid}: a program must make the same calls when it runs again, got ${inertLine(name, 60)} ` +
      `as call ${number}, journaled as ${intent.name}. Fork it from before that call.`,
  );
}
