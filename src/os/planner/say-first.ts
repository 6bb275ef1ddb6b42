/** The beginning of every planner's context: instructions, what was said before, the goal. */
import { fromUser } from "../security/label.ts";
import type { AgentInput } from "./agent-input.ts";
import type { AgentWindow } from "./agent-window.ts";

export function sayFirst(window: AgentWindow, { instructions, before, goal }: AgentInput): void {
  for (const { text, label } of instructions) window.add({ role: "system", text, label });
  for (const { role, text, label } of before) window.add({ role, text, label });
  window.add({ role: "user", text: goal, label: fromUser });
}
