/**
 * How a built-in task is put together: a function draws one candidate after another, each with its
 * key, and the first one on the side that is asked for becomes the problem.
 */
import type { AssistantMessage, Message, ToolMessage } from "../chat/conversation.ts";
import type { ToolContext } from "../chat/tool.ts";
import { tools } from "../chat/tools/table.ts";
import { createDraw, type Draw, drawFromSplit } from "./draw.ts";
import type { Problem, Task } from "./task.ts";

export interface Candidate {
  /** Its hash is the side of the split. */
  readonly key: string;
  problem(): Problem;
}

export function defineTask(
  name: string,
  description: string,
  make: (draw: Draw) => Candidate,
): Task {
  const problem: Task["problem"] = (index, split, seed) =>
    drawFromSplit(createDraw(name, index, split, seed), split, make, ({ key }) => key).problem();
  return { name, description, problem };
}

/** The world of problems that need none: a noon of spring, no files. */
export const plainContext: ToolContext = { now: new Date(Date.UTC(2026, 2, 20, 12)), files: {} };

export const user = (content: string): Message => ({ role: "user", content });
export const assistant = (content: string): Message => ({ role: "assistant", content });

/** @returns an assistant's turn that is only a call, and what the real tool answers */
export function callTool(
  name: string,
  args: Readonly<Record<string, unknown>>,
  context: ToolContext,
): readonly [AssistantMessage, ToolMessage] {
  const tool = tools.get(name);
  if (tool === undefined) throw new Error(`tasks: no tool named ${name}`);
  const call = { name, arguments: JSON.stringify(args) };
  return [
    { role: "assistant", content: "", toolCalls: [call] },
    { role: "tool", content: tool.run(args, context) },
  ];
}
