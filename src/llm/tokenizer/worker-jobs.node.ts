/** The worker's side of `worker-team.node.ts`: answers each job in turn, errors included. */

import { parentPort } from "node:worker_threads";
import { NutshellError } from "../../error.ts";
import type { JobReply } from "./worker-team.node.ts";

/** A result, and the buffers in it that move to the other thread instead of being copied. */
export interface JobResult<Result> {
  readonly result: Result;
  readonly transfer?: readonly ArrayBuffer[];
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
