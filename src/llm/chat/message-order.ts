/**
 * Which messages make a conversation: perhaps a system message, then user and assistant by turns,
 * each tool call answered by one tool message before the assistant goes on. A conversation may
 * end with calls that nobody answered yet.
 */
import { NutshellError } from "../../error.ts";
import { findCallFault } from "./call-text.ts";
import type { Message } from "./conversation.ts";

type Role = Message["role"];

/** Who may speak after whom, while no call waits for its result. */
const followers: Readonly<Record<Role | "start", readonly Role[]>> = {
  start: ["system", "user"],
  system: ["user"],
  user: ["assistant"],
  assistant: ["user"],
  tool: ["assistant"],
};

/**
 * @returns how many calls still wait for their results
 * @throws DATA naming the first message that breaks the order or a call that cannot be run
 */
export function checkOrder(messages: readonly Message[]): number {
  let last: Role | "start" = "start";
  let waiting = 0;
  for (const [i, message] of messages.entries()) {
    const allowed: readonly Role[] = waiting > 0 ? ["tool"] : followers[last];
    if (!allowed.includes(message.role)) throw orderError(i, message, last, allowed);
    if (message.role === "tool") waiting--;
    if (message.role === "assistant") waiting = checkCalls(i, message.toolCalls ?? []);
    last = message.role;
  }
  if (last === "start") throw dataError("must hold a message, got none.");
  return waiting;
}

/** @throws DATA when the assistant is not the one to speak next */
export function checkPrompt(messages: readonly Message[]): void {
  const waiting = checkOrder(messages);
  const last = messages.at(-1)?.role;
  if (waiting === 0 && (last === "user" || last === "tool")) return;
  const what = waiting > 0 ? `${waiting} calls without a result` : `a last message of ${last}`;
  throw dataError(`a prompt must end with the user or the last tool result, got ${what}.`);
}

function checkCalls(i: number, calls: readonly { name: string; arguments: string }[]): number {
  for (const call of calls) {
    const fault = findCallFault(call);
    if (fault !== undefined)
      throw dataError(
        `message ${i + 1} (assistant): ${fault}, got ${JSON.stringify(call.name)} ` +
          `with ${JSON.stringify(call.arguments.slice(0, 80))}.`,
      );
  }
  return calls.length;
}

function orderError(
  i: number,
  message: Message,
  last: string,
  allowed: readonly Role[],
): NutshellError {
  const after = last === "start" ? "at the start" : `after ${last}`;
  return dataError(
    `message ${i + 1} must be of ${allowed.join(" or ")} ${after}, got ${message.role}.`,
  );
}

function dataError(what: string): NutshellError {
  return new NutshellError("DATA", `conversation: ${what}`);
}
