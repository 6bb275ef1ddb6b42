/** Tools that the page itself runs, as any client of the server would: they read nothing of it. */
import { calculator } from "../llm/chat/tools/calculator.ts";
import { clock } from "../llm/chat/tools/clock.ts";
import type { WireCall } from "./wire.ts";

const tools = new Map([calculator, clock].map((tool) => [tool.name, tool]));

export const toolDefinitions: readonly object[] = [...tools.values()].map(
  ({ name, description, parameters }) => ({
    type: "function",
    function: { name, description, parameters },
  }),
);

/** @returns the result's text; "error: …" is for the model to read */
export function runCall({ function: { name, arguments: text } }: WireCall): string {
  const tool = tools.get(name);
  if (tool === undefined) return `error: there is no tool ${name}`;
  try {
    return tool.run(JSON.parse(text), { now: new Date(), files: {} });
  } catch {
    return "error: the arguments must be JSON";
  }
}
