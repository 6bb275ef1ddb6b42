/** Sampling in portions, with a line of progress: how far, how fast, how long still. */
import type { Talk } from "../../src/llm/run/talk.ts";
import type { Problem } from "../../src/llm/tasks/task.ts";
import type { Desk, Reply } from "./replies.ts";

export interface Portion {
  readonly problems: readonly Problem[];
  /** Replies to each of them. */
  readonly count: number;
  /** Problems answered at a time. */
  readonly at: number;
  /** Of the first portion; the others follow. */
  readonly stream: number;
}

/** @returns the replies to each problem; undefined when `signal` aborts in between */
export async function answerAll(
  name: string,
  desk: Desk,
  { problems, count, at, stream }: Portion,
  talk: Talk,
  signal: AbortSignal,
): Promise<Reply[][] | undefined> {
  const found: Reply[][] = [];
  const start = performance.now();
  while (found.length < problems.length) {
    const part = problems.slice(found.length, found.length + at);
    const replies = await desk.answer(part, count, stream + found.length, signal);
    if (replies === undefined) return undefined;
    found.push(...replies);
    const seconds = (performance.now() - start) / 1000;
    const rate = (found.length * count) / seconds;
    const left = Math.ceil(((problems.length - found.length) * count) / rate);
    const line = `${found.length}/${problems.length} prompts | ${rate.toFixed(0)} replies/s`;
    const isLast = found.length === problems.length;
    talk[isLast ? "say" : "status"](
      `${name} ${line} | ${isLast ? `${seconds.toFixed(1)}s` : `eta ${left}s`}`,
    );
  }
  return found;
}
