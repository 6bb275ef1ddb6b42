/** The beginning of every planner's context: instructions, what was said before, the goal. */
import type { AgentInput } from "./agent-input.ts";
import type { AgentWindow } from "./agent-window.ts";

/** Characters of a goal that is never summarised; a longer one may be a document. */
const MOST_PINNED = 2000;

export function sayFirst(
  window: AgentWindow,
  { instructions, before, goal, goalLabel }: AgentInput,
): void {
  for (const { text, label } of instructions) window.add({ role: "system", text, label });
  for (const { role, text, label } of before) window.add({ role, text, label });
  const pinned = goal.length <= MOST_PINNED;
  window.add({ role: "user", text: goal, label: goalLabel, pinned });
}
