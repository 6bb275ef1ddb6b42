/**
 * A few worker threads that answer jobs. Each worker has a small queue of its own, so that it has
 * the next job at hand when it finishes one; `run` waits while all queues are full, which bounds
 * the memory of any number of jobs. A job that throws in the worker throws at its caller; a worker
 * that dies fails everything that waits.
 *
 * The other side is `worker-jobs.node.ts`.
 */

import { Worker } from "node:worker_threads";
import { type ErrorCode, NutshellError } from "../../error.ts";

/** What a worker gets at its start; see `startWorker`. */
export interface WorkerStart {
  readonly index: number;
  readonly threads: number;
  readonly data: unknown;
}

/** What a worker sends back, once for each job and in their order. */
export type JobReply<Result> =
  | { readonly result: Result }
  | { readonly code: ErrorCode | undefined; readonly message: string };

/** Jobs that a worker holds: the one it works on and the next. */
const QUEUE = 2;

interface Waiting<Result> {
  resolve(result: Result): void;
  reject(error: Error): void;
}

interface Member<Result> {
  readonly worker: Worker;
  readonly waiting: Waiting<Result>[];
}

export class WorkerTeam<Job, Result> implements AsyncDisposable {
  readonly #members: readonly Member<Result>[];
  /** Callers of `run` that wait for room in a queue. */
  readonly #blocked: (() => void)[] = [];
  #failure: Error | undefined;

  /** @param entry the worker's file  @param workerData what every worker gets at its start */
  constructor(entry: URL, threads: number, workerData: unknown) {
    this.#members = Array.from({ length: threads }, (_, index) => ({
      worker: new Worker(entry, { workerData: { index, threads, data: workerData } }),
      waiting: [],
    }));
    for (const member of this.#members) this.#listen(member);
  }

  /**
   * Hands a job to the least busy worker, once one has room.
   * @param transfer buffers in the job that move to the worker instead of being copied
   * @returns the result, wrapped so that the caller can go on before it is there
   */
  async start(
    job: Job,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<{ readonly result: Promise<Result> }> {
    for (;;) {
      const member = this.#members.reduce((a, b) => (b.waiting.length < a.waiting.length ? b : a));
      if (member.waiting.length < QUEUE || this.#failure)
        return { result: this.#send(member, job, transfer) };
      await new Promise<void>((resolve) => this.#blocked.push(resolve));
    }
  }

  /** Sends the same job to every worker. @returns their results in the order of the workers */
  all(job: Job): Promise<Result[]> {
    return Promise.all(this.#members.map((member) => this.#send(member, job, [])));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail(new NutshellError("TOKENIZER", "worker team: it must be open, got a closed one."));
    await Promise.all(this.#members.map(({ worker }) => worker.terminate()));
  }

  #send(member: Member<Result>, job: Job, transfer: readonly ArrayBuffer[]): Promise<Result> {
    const result = this.#failure
      ? Promise.reject<Result>(this.#failure)
      : new Promise<Result>((resolve, reject) => {
          member.waiting.push({ resolve, reject });
          member.worker.postMessage(job, transfer);
        });
    // Whoever awaits it sees the rejection; nobody may be awaiting it yet.
    result.catch(() => {});
    return result;
  }

  #listen({ worker, waiting }: Member<Result>): void {
    worker.on("message", (reply: JobReply<Result>) => {
      const job = waiting.shift();
      if ("result" in reply) job?.resolve(reply.result);
      else job?.reject(toError(reply.code, reply.message));
      this.#blocked.shift()?.();
    });
    worker.on("error", (cause: Error) => this.#fail(lost(cause.message, cause)));
    worker.on("exit", (code) => this.#fail(lost(`exit code ${code}`)));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { waiting } of this.#members) {
      for (const job of waiting.splice(0)) job.reject(this.#failure);
    }
    for (const resume of this.#blocked.splice(0)) resume();
  }
}

function toError(code: ErrorCode | undefined, message: string): Error {
  return code === undefined ? new Error(message) : new NutshellError(code, message);
}

function lost(got: string, cause?: Error): NutshellError {
  return new NutshellError(
    "TOKENIZER",
    `worker team: a worker thread must live until its team is closed, got ${got}. ` +
      "Use fewer threads or give the process more memory.",
    cause && { cause },
  );
}
