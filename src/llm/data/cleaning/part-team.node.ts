/**
 * Cleans parts in worker threads, one part a worker at a time, the largest first. A part that fails
 * stops the others at their next document; parts that were finished stay on disk.
 */
import { Worker } from "node:worker_threads";
import { type ErrorCode, NutshellError } from "../../../error.ts";
import type { PartTask, WorkerFacts, WorkerReport } from "./clean-part.ts";
import type { PartFile } from "./part-file.node.ts";

export interface TeamOptions {
  readonly facts: Omit<WorkerFacts, "stop">;
  readonly threads: number;
  readonly signal: AbortSignal;
  /** Bytes of text cleaned since the last call. */
  progress(bytes: number): void;
}

/** A worker that does not stop by itself in this time is ended, which its database takes badly. */
const STOP_MS = 900;

/**
 * @param tasks in the order to start them
 * @returns the files of each part, by key
 * @throws what a reader or writer threw first; the signal's reason
 */
export async function cleanParts(
  tasks: readonly PartTask[],
  { facts, threads, signal, progress }: TeamOptions,
): Promise<ReadonlyMap<string, readonly PartFile[]>> {
  const stop = new SharedArrayBuffer(4);
  const queue = [...tasks];
  const done = new Map<string, readonly PartFile[]>();
  const askToStop = (): void => {
    queue.length = 0;
    Atomics.store(new Int32Array(stop), 0, 1);
  };
  signal.addEventListener("abort", askToStop);
  if (signal.aborted) askToStop();
  const work = async (): Promise<void> => {
    try {
      await runWorker({ ...facts, stop }, queue, { signal, progress, done });
    } catch (error) {
      askToStop();
      throw error;
    }
  };
  const workers = Array.from({ length: Math.min(threads, tasks.length) }, work);
  const ends = await Promise.allSettled(workers);
  signal.removeEventListener("abort", askToStop);
  signal.throwIfAborted();
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return done;
}

interface WorkerContext {
  readonly signal: AbortSignal;
  progress(bytes: number): void;
  readonly done: Map<string, readonly PartFile[]>;
}

/** One worker until the queue is empty, it fails, or it is told to stop. */
async function runWorker(
  facts: WorkerFacts,
  queue: PartTask[],
  { signal, progress, done }: WorkerContext,
): Promise<void> {
  const worker = new Worker(new URL("./clean-part.worker.node.ts", import.meta.url), {
    workerData: facts,
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const next = (): void => {
    const task = queue.shift();
    if (task === undefined) resolve();
    else worker.postMessage(task);
  };
  worker.on("message", (report: WorkerReport) => {
    if (report.type === "progress") progress(report.bytes);
    else if (report.type === "stopped") resolve();
    else if (report.type === "failed") reject(failureOf(report));
    else {
      done.set(report.key, report.files);
      next();
    }
  });
  worker.on("error", reject);
  worker.on("exit", () => reject(new Error("clean: a worker ended before its part was done")));
  const onAbort = (): void => {
    setTimeout(resolve, STOP_MS).unref();
  };
  signal.addEventListener("abort", onAbort);
  try {
    next();
    await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
    await worker.terminate();
  }
}

/** Errors lose their class on the way between threads. */
function failureOf({ code, error }: Extract<WorkerReport, { type: "failed" }>): Error {
  if (code === undefined) return error;
  return new NutshellError(code as ErrorCode, error.message, { cause: error });
}
