/** The worker's side of `worker-team.node.ts`: answers each job in turn, errors included. */

import { parentPort, workerData } from "node:worker_threads";
import { NutshellError } from "../../error.ts";
import { tryBindThread } from "./bind-thread.node.ts";
import type { JobReply, WorkerStart } from "./worker-team.node.ts";

/** A result, and the buffers in it that move to the other thread instead of being copied. */
export interface JobResult<Result> {
  readonly result: Result;
  readonly transfer?: readonly ArrayBuffer[];
}

/** Called first by a worker: finds it a core. @returns what the team gives every worker */
export function startWorker<Data>(): Data {
  const { index, threads, data } = workerData as WorkerStart;
  tryBindThread(index, threads);
  return data as Data;
}

export function answerJobs<Job, Result>(work: (job: Job) => JobResult<Result>): void {
  parentPort?.on("message", (job: Job) => {
    const { reply, transfer } = tryWork(work, job);
    parentPort?.postMessage(reply, transfer);
  });
}

function tryWork<Job, Result>(
  work: (job: Job) => JobResult<Result>,
  job: Job,
): { reply: JobReply<Result>; transfer: ArrayBuffer[] } {
  try {
    const { result, transfer = [] } = work(job);
    return { reply: { result }, transfer: [...transfer] };
  } catch (error) {
    const code = error instanceof NutshellError ? error.code : undefined;
    return { reply: { code, message: (error as Error).message }, transfer: [] };
  }
}
