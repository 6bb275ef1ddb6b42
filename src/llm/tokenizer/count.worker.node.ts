/** Worker thread of `train-team.node.ts`: counts words job by job, hands them over at the end. */

import { createWordCounter } from "./word-counts.ts";
import { answerJobs, startWorker } from "./worker-jobs.node.ts";

/** Texts to count under their place in the whole, or the word that asks for the counts. */
export type CountJob = { readonly number: number; readonly texts: readonly string[] } | "finish";

const counter = createWordCounter(startWorker<string>());

answerJobs((job: CountJob) => {
  if (job === "finish") return { result: counter.result() };
  for (const text of job.texts) counter.add(text, job.number);
  return { result: undefined };
});
