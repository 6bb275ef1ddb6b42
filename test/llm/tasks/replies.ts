/** Replies to grade: a solution with its last words changed, or with something around it. */
import type { Message } from "../../../src/llm/chat/conversation.ts";
import type { Problem } from "../../../src/llm/tasks/task.ts";

/** @returns the solution with another last text */
export function withLastText(
  { solution }: Problem,
  change: (text: string) => string,
): readonly Message[] {
  const last = solution.at(-1) as Message;
  return [...solution.slice(0, -1), { role: "assistant", content: change(last.content) }];
}

/** @returns the solution without its calls and their results */
export function onlyLastText({ solution }: Problem): readonly Message[] {
  return solution.slice(-1);
}

/** @returns every problem of the first `count` indices */
export function* problemsOf(
  task: { problem(index: number, split: "train" | "test", seed: number): Problem },
  count: number,
  split: "train" | "test" = "train",
): Generator<Problem> {
  for (let index = 0; index < count; index++) yield task.problem(index, split, 1);
}
