/**
 * What stands between the marks of a call: `NAME JSON`, the JSON being the arguments' object as
 * it was written. Reading never fails; what is wrong with a call is said in words that a model
 * may read.
 */
import type { ToolCall } from "./conversation.ts";

const NAME = /^[A-Za-z_][\w.-]{0,63}$/;

export function renderCall({ name, arguments: json }: ToolCall): string {
  return `${name} ${json}`;
}

/** The name ends at the first space; without one there are no arguments. */
export function readCall(text: string): ToolCall {
  const space = text.indexOf(" ");
  if (space < 0) return { name: text, arguments: "" };
  return { name: text.slice(0, space), arguments: text.slice(space + 1) };
}

/** @returns the arguments' object; undefined when the text is not the JSON of an object */
export function tryArguments({ arguments: json }: ToolCall): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** @returns the rule that the call breaks, if any */
export function findCallFault(call: ToolCall): string | undefined {
  if (!NAME.test(call.name)) return "a call must begin with a tool's name";
  if (tryArguments(call) === undefined) return "arguments must be a JSON object";
  return undefined;
}
