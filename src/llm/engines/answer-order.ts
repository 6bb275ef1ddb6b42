/**
 * Which results answer which calls. A template has no ids: results stand in the order of the calls,
 * so those that name their call are put there first.
 */
import { NutshellError } from "../../error.ts";
import type { Message, ToolCall, ToolMessage } from "../chat/conversation.ts";

/** @returns calls at the end of a conversation that have no result yet */
export function waitingCalls(messages: readonly Message[]): readonly ToolCall[] {
  const asked = messages.findLastIndex(({ role }) => role !== "tool");
  const message = messages[asked];
  const calls = message?.role === "assistant" ? (message.toolCalls ?? []) : [];
  return calls.slice(messages.length - 1 - asked);
}

/**
 * @param past what came before, its results in order
 * @returns `added` with each run of results in the order of its calls
 * @throws DATA for a result that answers no call, or a message where a result must stand
 */
export function orderAnswers(past: readonly Message[], added: readonly Message[]): Message[] {
  const ordered = [...past];
  for (let i = 0; i < added.length; ) {
    const waiting = waitingCalls(ordered);
    const run = added.slice(i, i + Math.max(1, countResults(added, i)));
    ordered.push(...(run[0]?.role === "tool" ? sortRun(run as ToolMessage[], waiting) : run));
    if (waiting.length > 0 && run[0]?.role !== "tool") throw unanswered(waiting, run[0]);
    i += run.length;
  }
  return ordered.slice(past.length);
}

function countResults(messages: readonly Message[], from: number): number {
  const end = messages.findIndex(({ role }, i) => i >= from && role !== "tool");
  return (end < 0 ? messages.length : end) - from;
}

function sortRun(run: readonly ToolMessage[], waiting: readonly ToolCall[]): ToolMessage[] {
  const left = [...run];
  const taken = waiting.slice(0, run.length).map((call) => takeAnswer(left, call));
  const sorted = taken.filter((message) => message !== undefined);
  if (sorted.length === run.length) return sorted;
  throw new NutshellError(
    "DATA",
    `conversation: a tool's result must answer a call that waits, got ${run.length} results ` +
      `for ${waiting.length} calls (${waiting.map(({ id, name }) => id ?? name).join(", ")}).`,
  );
}

/** The result that names the call, else the first where one of the two has no id. */
function takeAnswer(left: ToolMessage[], { id }: ToolCall): ToolMessage | undefined {
  const named = left.findIndex(({ callId }) => id !== undefined && callId === id);
  const at = named >= 0 ? named : left.findIndex(({ callId }) => !id || callId === undefined);
  return at < 0 ? undefined : left.splice(at, 1)[0];
}

function unanswered(waiting: readonly ToolCall[], got: Message | undefined): NutshellError {
  const names = waiting.map(({ id, name }) => id ?? name).join(", ");
  return new NutshellError(
    "DATA",
    `conversation: calls must be answered before anything else, got a message of ${got?.role} ` +
      `while these wait: ${names}.`,
  );
}
