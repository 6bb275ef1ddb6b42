/** From the text of a call to the text of its result; every failure is a result. */
import { findCallFault, readCall, tryArguments } from "../call-text.ts";
import type { ToolContext } from "../tool.ts";
import { tools } from "./table.ts";

/** Characters of a result that a model gets to read. */
export const MAX_RESULT_LENGTH = 600;

/** @param text what stood between the marks of the call: `NAME JSON` */
export function runCall(text: string, context: ToolContext): string {
  const call = readCall(text);
  const tool = tools.get(call.name);
  if (tool === undefined)
    return cut(
      `error: no tool ${JSON.stringify(call.name)}; tools: ${[...tools.keys()].join(", ")}`,
    );
  const fault = findCallFault(call);
  return cut(fault === undefined ? tool.run(tryArguments(call), context) : `error: ${fault}`);
}

/** Whole characters, and the length of what was cut is said. */
function cut(text: string): string {
  const characters = [...text];
  if (characters.length <= MAX_RESULT_LENGTH) return text;
  const kept = characters.slice(0, MAX_RESULT_LENGTH).join("");
  return `${kept}… (cut: ${MAX_RESULT_LENGTH} of ${characters.length} characters)`;
}
