/**
 * Boots the kernel of one daemon: its part of the process table that all daemons share. What its
 * predecessor of the same name left unfinished goes on from the journal; what a daemon leaves that
 * never comes back, another takes over.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { type Executor, launchExecutor } from "../../durable/executor.ts";
import { NutshellError } from "../../error.ts";
import { bottom } from "../security/label.ts";
import { controlCalls, setNice } from "./calls/control.ts";
import { mailCalls } from "./calls/mail.ts";
import { processCalls, reap } from "./calls/process.ts";
import { ticketCalls } from "./calls/ticket.ts";
import { timeCalls } from "./calls/time.ts";
import { listSchedules, schedule, tick } from "./cron.ts";
import { fork } from "./fork.ts";
import { sealGrant } from "./gates/approval.ts";
import { createArgumentCheck } from "./gates/arguments.ts";
import { grant, revoke } from "./grants.ts";
import { createHostProcesses } from "./host-process.ts";
import { readJournal } from "./journal.ts";
import type { Kernel } from "./kernel.ts";
import { readInstance, readKey } from "./keys.ts";
import { lasting } from "./lasting.ts";
import type { KernelOptions } from "./options.ts";
import type { Exit } from "./process.ts";
import { LISTED, type ListedRow, needRow, readRow, toProcessRecord } from "./process-row.ts";
import { runProcess } from "./run.ts";
import { end, Parked, type Running, refresh } from "./running.ts";
import { kernelVersions } from "./schema.ts";
import { sendSignal } from "./signals.ts";
import { spawn } from "./spawn.ts";
import type { KernelState } from "./state.ts";
import { startSweeper } from "./sweeper.ts";
import type { Syscall } from "./syscall.ts";
import { answerTicket, listTickets } from "./tickets.ts";
import { verifyJournal } from "./verify.ts";
import { listenForWakeups } from "./wakeups.ts";

/** Of workflows: runs of another version are not taken over. */
const VERSION = "kernel-1";
/** What calls under way get to end by themselves when the daemon stops. */
const DRAIN_MS = 3000;

/** @throws NutshellError DATABASE when the tables are a newer program's, CONFIG for a bad row */
export async function bootKernel(options: KernelOptions): Promise<Kernel> {
  const { database, executorId: id, staleMs, notice } = options;
  await database.migrate("kernel", kernelVersions);
  const { promise, resolve, reject } = Promise.withResolvers<Executor>();
  promise.catch(() => {});
  const state = await createState(options, promise);
  const run = (pid: number): Promise<void> => state.outside(() => runProcess(state, pid));
  const executor = await launchExecutor({
    ...{ database, id, version: VERSION },
    workflows: { process: run, tick: (at, entry) => state.outside(() => tick(state, at, entry)) },
    ...(staleMs !== undefined && { staleMs }),
    ...(notice !== undefined && { notice }),
  }).catch(async (error: unknown) => {
    reject(error);
    await state.wakeups[Symbol.asyncDispose]();
    throw error;
  });
  resolve(executor);
  return createKernel(state, startSweeper(state));
}

async function createState(
  options: KernelOptions,
  executor: Promise<Executor>,
): Promise<KernelState> {
  const { database, now = Date.now } = options;
  const running = new Map<number, Running>();
  const calls = new Map<string, Syscall>();
  const wakeups = await listenForWakeups(database, now, (pid) => {
    const woken = pid === undefined ? [...running.values()] : [running.get(pid)];
    // A look that fails has lost its server, and hears of it again when that is back.
    for (const one of woken) if (one !== undefined) refresh(database.pool, one).catch(() => {});
  });
  const state: KernelState = {
    ...options,
    ...{ now, wakeups, calls, executor, running, stopping: false, programs: {} },
    instance: await readInstance(database.pool),
    key: await readKey(database.pool, options.anchorFile),
    host: createHostProcesses(database),
    outside: AsyncLocalStorage.snapshot(),
    closing: new AbortController(),
    checkArguments: (row, args) => check(row, args),
  };
  const own = [timeCalls, mailCalls, processCalls, controlCalls, ticketCalls].flatMap((make) =>
    make(state),
  );
  // The kernel's own calls may all be done twice, so that they outlive a server that goes away.
  const lastingOwn = own.map((row): Syscall => {
    return { ...row, run: (args, context) => lasting(state, () => row.run(args, context)) };
  });
  for (const row of [...lastingOwn, ...options.syscalls]) addCall(calls, row);
  const check = createArgumentCheck(calls.values());
  const { programs } = options;
  const made = typeof programs === "function" ? programs([...calls.values()]) : programs;
  return Object.assign(state, { programs: made });
}

function addCall(calls: Map<string, Syscall>, row: Syscall): void {
  if (calls.has(row.name)) {
    throw new NutshellError(
      "CONFIG",
      `syscalls: a name must have one row, got two of ${row.name}. Rename the device's call.`,
    );
  }
  calls.set(row.name, row);
}

function createKernel(state: KernelState, stopSweeper: () => Promise<void>): Kernel {
  const { database, key, now } = state;
  const { pool } = database;
  return {
    table: [...state.calls.values()],
    spawn: (request) => spawn(state, { request, pc: bottom }),
    processes: async ({ all = false } = {}) => {
      const { rows } = await pool.query<ListedRow>(
        `select ${LISTED} from process where $1 or state <> 'dead' order by pid`,
        [all],
      );
      return rows.map(toProcessRecord);
    },
    process: async (pid) => {
      const row = await readRow(pool, pid);
      return row && toProcessRecord(row);
    },
    signal: async (pid, signal, scope = "one") => {
      await needRow(pool, pid, "signal");
      return await sendSignal(state, pid, signal, scope);
    },
    wait: (pid, signal) => wait(state, pid, signal),
    fork: (pid, at) => fork(state, { pid, ...(at !== undefined && { at }) }),
    renice: async (pid, nice) => {
      await needRow(pool, pid, "renice");
      await setNice(state, pid, nice);
    },
    grant: (pid, capability) => grant(state, pid, capability),
    revoke: (pid, call) => revoke(state, pid, call),
    tickets: (filter = {}) => listTickets(pool, filter),
    answer: (ticket, answer) =>
      answerTicket(database, ticket, answer, now(), (request) => sealGrant(key, request)),
    schedule: (entry) => schedule(state, entry),
    schedules: () => listSchedules(state),
    unschedule: async (name) => (await state.executor).unschedule(name),
    journal: (pid, from) => readJournal(pool, pid, from),
    verifyJournal: () => verifyJournal(state),
    [Symbol.asyncDispose]: () => stop(state, stopSweeper),
  };
}

async function wait(state: KernelState, pid: number, signal?: AbortSignal): Promise<Exit> {
  const { pool } = state.database;
  await needRow(pool, pid, "wait");
  const look = async (): Promise<string | undefined> =>
    (await state.database.retry(() => readRow(pool, pid)))?.exit ?? undefined;
  const given = AbortSignal.any([state.closing.signal, ...(signal ? [signal] : [])]);
  const exit = await state.wakeups.until(pid, look, given);
  await reap(state, pid);
  return JSON.parse(exit) as Exit;
}

/** Calls that do something end; calls that wait go on with the next daemon. */
async function stop(state: KernelState, stopSweeper: () => Promise<void>): Promise<void> {
  if (state.stopping) return;
  state.stopping = true;
  const last = performance.now() + DRAIN_MS;
  while (isBusy(state) && performance.now() < last) await sleep(10);
  state.closing.abort(new Parked("the daemon stops"));
  for (const running of state.running.values()) end(running, new Parked("the daemon stops"));
  await stopSweeper();
  await (await state.executor).stop();
  await state.wakeups[Symbol.asyncDispose]();
}

function isBusy({ running }: KernelState): boolean {
  return [...running.values()].some(({ flights }) => [...flights].some((one) => !one.waiting));
}
