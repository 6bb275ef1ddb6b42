/**
 * The durable executor: DBOS, launched in one place. A workflow is a function whose steps' results
 * are kept in Postgres; after a crash it runs again from its start and its finished steps answer
 * from there. A step that was under way runs once more: at most twice, so steps are re-entrant.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import {
  DBOS,
  DBOSWorkflowConflictError,
  type DLogger,
  type GetWorkflowsInput,
} from "@dbos-inc/dbos-sdk";
import type pg from "pg";
import { NutshellError } from "../error.ts";
import { createPool, type Database } from "./database.ts";
import { type Guard, guardVersions, startGuard } from "./guard.ts";

// biome-ignore lint/suspicious/noExplicitAny: arguments are the workflow's own business
export type Workflow = (...args: any[]) => Promise<unknown>;

export interface ExecutorOptions {
  readonly database: Database;
  /** Name of this daemon's slot; the same after a restart, another for every daemon alive. */
  readonly id: string;
  /** Of the workflows' code: only runs of the same version are taken over. */
  readonly version: string;
  readonly workflows: Readonly<Record<string, Workflow>>;
  /** An executor that was silent for this long is dead. Longer than any stall. Default 10,000. */
  readonly staleMs?: number;
  /** Told in a line what a person may want to know: deaths, failed workflows, lost connections. */
  readonly notice?: (text: string) => void;
}

export interface Schedule {
  readonly name: string;
  /** Five or six fields, as in crontab(5), seconds first when there are six. */
  readonly cron: string;
  /** Name of a workflow; called with the time (a Date) and `context`. */
  readonly workflow: string;
  readonly context?: unknown;
  /** As in "Europe/Berlin"; default UTC. */
  readonly timeZone?: string;
}

export interface Executor extends AsyncDisposable {
  readonly id: string;
  /** Starts it here and returns; a second start with the same id is the first one. */
  start(name: string, workflowId: string, args: readonly unknown[]): Promise<void>;
  /** Runs on; some executor takes it within a second. */
  resume(workflowId: string): Promise<void>;
  /**
   * Inside a workflow: runs `fn` once, or answers with what it returned; results are JSON. `fn` is
   * repeated when the database went away in it. It never begins once others have the run.
   */
  step<T>(name: string, fn: () => Promise<T>): Promise<T>;
  /** Waits for the end. @throws what the workflow threw */
  result(workflowId: string): Promise<unknown>;
  /** Runs a workflow by the clock, once per tick however many daemons; replaces one of its name. */
  schedule(schedule: Schedule): Promise<void>;
  unschedule(name: string): Promise<void>;
  schedules(): Promise<readonly Schedule[]>;
  /** Runs stop at their next step; other executors take them, or the next one of this id. */
  stop(): Promise<void>;
}

/** Which generation of the executor began the run that is under way here. */
const generationOf = new AsyncLocalStorage<string | undefined>();
const APP = "nutshell";
const SCHEMA = "nutshell_dbos";
const QUEUE = "nutshell";
// DBOS's own queue is looked at once a second, too slow for who waits for a fork or a restart.
const QUEUE_POLL_MS = 100;
const CONNECTIONS = 10;
const LAUNCH_LOCK = "hashtextextended('nutshell launch', 0)";
const RESULT_POLL_MS = 100;
// Every crash counts as an attempt, and there is no number of crashes at which to give up a run.
const maxRecoveryAttempts = 2 ** 31 - 2;

/** One per Node process. @throws NutshellError DATABASE */
export async function launchExecutor(options: ExecutorOptions): Promise<Executor> {
  if (DBOS.isInitialized()) {
    throw new NutshellError(
      "DATABASE",
      `executor ${options.id}: must be alone in its process, got a second. Stop the first.`,
    );
  }
  const { database, id, staleMs = 10_000, notice = () => {} } = options;
  await database.migrate("durable", guardVersions);
  const state: { guard: Guard | undefined } = { guard: undefined };
  const workflows = register(options.workflows, state);
  // Before the launch, which begins to run what a predecessor of this name left.
  const guard = await startGuard({ database, id, staleMs, takeOver, notice });
  state.guard = guard;
  const pool = createPool(database.url, CONNECTIONS);
  const stop = async (): Promise<void> => {
    await guard.stop();
    await DBOS.shutdown({ deregister: true });
    await pool.end();
  };
  try {
    await launch(options, pool);
  } catch (error) {
    await stop().catch(() => {});
    throw launchError(id, error);
  }
  return createExecutor(options, guard, workflows, stop);
}

async function launch(options: ExecutorOptions, pool: pg.Pool): Promise<void> {
  const { database, id, version, notice = () => {} } = options;
  DBOS.setConfig({
    ...{ name: APP, systemDatabaseUrl: database.url, systemDatabaseSchemaName: SCHEMA },
    ...{ systemDatabasePool: pool, applicationVersion: version, executorID: id },
    logger: quietLogger(notice),
  });
  await oneAtATime(pool, () => DBOS.launch());
  await DBOS.registerQueue(QUEUE, { minPollingIntervalMs: QUEUE_POLL_MS });
  await requeue({ status: "ENQUEUED", executorId: id }); // DBOS has found our own, and is slow
}

function launchError(id: string, error: unknown): NutshellError {
  const said = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ");
  const text = `executor ${id}: must be launched, got ${said}. See that the database answers.`;
  return new NutshellError("DATABASE", text, { cause: error });
}

/**
 * DBOS makes its tables at the launch, and two that do so at once fail. The lock is asked for again
 * and again: a statement that waits for it would itself be waited for by DBOS's making of indexes.
 */
async function oneAtATime(pool: pg.Pool, run: () => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    const ask = `select pg_try_advisory_lock(${LAUNCH_LOCK}) as mine`;
    while (!(await client.query<{ mine: boolean }>(ask)).rows[0]?.mine) await sleep(20);
    await run();
  } finally {
    client.release(true); // the lock goes with its connection, however this ended
  }
}

function register(
  workflows: Readonly<Record<string, Workflow>>,
  state: { readonly guard: Guard | undefined },
): ReadonlyMap<string, Workflow> {
  const entries = Object.entries(workflows).map(([name, workflow]): [string, Workflow] => {
    const run: Workflow = (...args) =>
      generationOf.run(state.guard?.generation, () => workflow(...args));
    return [name, DBOS.registerWorkflow(run, { name, maxRecoveryAttempts })];
  });
  return new Map(entries);
}

function takeOver(dead: string): Promise<number> {
  return requeue({ status: "PENDING", executorId: dead });
}

/** Into the queue that all executors of the runs' version take from. @returns how many */
async function requeue(which: GetWorkflowsInput): Promise<number> {
  const runs = await DBOS.listWorkflows({ ...which, loadInput: false, loadOutput: false });
  const others = runs.filter(({ queueName }) => queueName !== QUEUE || which.status === "PENDING");
  const ids = others.map(({ workflowID }) => workflowID);
  if (ids.length > 0) await DBOS.resumeWorkflows(ids, { queueName: QUEUE });
  return ids.length;
}

function createExecutor(
  { id, database }: ExecutorOptions,
  guard: Guard,
  workflows: ReadonlyMap<string, Workflow>,
  stop: () => Promise<void>,
): Executor {
  const workflowOf = (name: string): Workflow => {
    const found = workflows.get(name);
    if (found !== undefined) return found;
    const known = [...workflows.keys()].join(", ");
    throw new NutshellError(
      "DATABASE",
      `executor: a workflow must be registered before the launch, got ${name}. Known: ${known}.`,
    );
  };
  let stopping: Promise<void> | undefined;
  const executor: Executor = {
    id,
    start: async (name, workflowID, args) => {
      await DBOS.startWorkflow(workflowOf(name), { workflowID })(...args);
    },
    resume: async (workflowId) => {
      await DBOS.resumeWorkflow(workflowId, { queueName: QUEUE });
    },
    step: (name, fn) => runStep(database, guard, name, fn),
    result: (workflowId) =>
      DBOS.retrieveWorkflow(workflowId).getResult({ pollingIntervalMs: RESULT_POLL_MS }),
    schedule: ({ name, cron, workflow, context, timeZone }) =>
      DBOS.applySchedules([
        {
          ...{ scheduleName: name, schedule: cron, context },
          workflowFn: workflowOf(workflow) as (at: Date, context: unknown) => Promise<void>,
          cronTimezone: timeZone ?? "UTC",
        },
      ]),
    unschedule: (name) => DBOS.deleteSchedule(name),
    schedules: async () => (await DBOS.listSchedules()).map(toSchedule),
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
    [Symbol.asyncDispose]: () => executor.stop(),
  };
  return executor;
}

/** Inside the step, so that steps are numbered in the order in which the workflow calls them. */
function runStep<T>(
  database: Database,
  guard: Guard,
  name: string,
  fn: () => Promise<T>,
): Promise<T> {
  const generation = generationOf.getStore();
  const guarded = async (): Promise<T> => {
    // DBOS parks a run on this error: it waits for what the run's new owner makes of it.
    if (!(await guard.confirm(generation))) throw new DBOSWorkflowConflictError(name);
    return database.retry(fn);
  };
  return DBOS.runStep(guarded, { name });
}

function toSchedule({
  scheduleName,
  schedule,
  workflowName,
  context,
  cronTimezone,
}: Awaited<ReturnType<typeof DBOS.listSchedules>>[number]): Schedule {
  const timeZone = cronTimezone === null ? {} : { timeZone: cronTimezone };
  return { name: scheduleName, cron: schedule, workflow: workflowName, context, ...timeZone };
}

function quietLogger(notice: (text: string) => void): DLogger {
  const tell = (entry: unknown): void => {
    const text = entry instanceof Error ? entry.message : String(entry);
    notice(`durable: ${text.replaceAll(/\s+/g, " ")}`);
  };
  return { debug: () => {}, info: () => {}, warn: tell, error: tell };
}
