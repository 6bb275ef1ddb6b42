/**
 * Messages of a foreign file brought into the order of the chat template, or the reason why they
 * cannot be: several system messages become one, turns of one speaker in a row are joined, what
 * follows the last answer is taken off. Nothing is invented.
 */
import type { AssistantMessage, Message } from "../chat/conversation.ts";
import { checkOrder } from "../chat/message-order.ts";

/** @returns messages that end with an assistant's answer; else a few words that say what is wrong */
export function tidyMessages(messages: readonly Message[]): readonly Message[] | string {
  const tidy: Message[] = [];
  for (const message of messages.map(trimmed)) {
    const joined = tryJoin(tidy.at(-1), message);
    if (joined === undefined) tidy.push(message);
    else tidy[tidy.length - 1] = joined;
  }
  const end = tidy.findLastIndex(isAnswer);
  if (end < 0) return "no answer";
  const kept = tidy.slice(0, end + 1);
  if (kept.some(isEmpty)) return "an empty message";
  return isInOrder(kept) ? kept : "messages out of order";
}

function trimmed(message: Message): Message {
  return { ...message, content: message.content.trim().toWellFormed() };
}

function isAnswer(message: Message): boolean {
  return message.role === "assistant" && (message.toolCalls ?? []).length === 0;
}

function isEmpty(message: Message): boolean {
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  return message.content === "" && calls.length === 0 && message.role !== "tool";
}

/** A call ends its turn, so nothing is joined to what follows one. */
function tryJoin(last: Message | undefined, next: Message): Message | undefined {
  if (last === undefined || last.role !== next.role || last.role === "tool") return undefined;
  const content = [last.content, next.content].filter((text) => text !== "").join("\n");
  if (last.role !== "assistant") return { role: last.role, content } as Message;
  if (!isAnswer(last)) return undefined;
  return { ...last, ...next, content } as AssistantMessage;
}

function isInOrder(messages: readonly Message[]): boolean {
  try {
    return checkOrder(messages) === 0;
  } catch {
    return false;
  }
}
