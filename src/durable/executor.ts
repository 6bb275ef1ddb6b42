/**
 * The durable executor: DBOS, launched in one place. A workflow is a function whose steps' results
 * are kept in Postgres; after a crash it runs again from its start and its finished steps answer
 * from there. A step that was under way runs once more: at most twice, so steps are re-entrant.
 */
import type { Database } from "./database.ts";

// biome-ignore lint/suspicious/noExplicitAny: arguments are the workflow's own business
export type Workflow = (...args: any[]) => Promise<unknown>;

export interface ExecutorOptions {
  readonly database: Database;
  /** Name of this daemon's slot; the same after a restart, another for every daemon alive. */
  readonly id: string;
  /** Of the workflows' code: only runs of the same version are taken over. */
  readonly version: string;
  readonly workflows: Readonly<Record<string, Workflow>>;
  /** An executor that was silent for this long is dead. Default 10,000. */
  readonly staleMs?: number;
}

export interface Executor extends AsyncDisposable {
  readonly id: string;
  /** Starts it here; a second start with the same id is the first one. Does not wait for its end. */
  start(name: string, workflowId: string, args: readonly unknown[]): Promise<void>;
  /** Runs on after a cancel, or elsewhere than it did. */
  resume(workflowId: string): Promise<void>;
  /** Its next step throws; a step under way is not interrupted. */
  cancel(workflowId: string): Promise<void>;
  /** A new run with the results of the steps before `step` (from 0). */
  fork(workflowId: string, step: number, newId: string): Promise<void>;
  /** Inside a workflow: runs `fn` once, or answers with what it returned. Results are JSON. */
  step<T>(name: string, fn: () => Promise<T>): Promise<T>;
  /** Waits for the end. @throws what the workflow threw */
  result(workflowId: string): Promise<unknown>;
  stop(): Promise<void>;
}

export function launchExecutor(_options: ExecutorOptions): Promise<Executor> {
  throw new Error("launchExecutor");
}
