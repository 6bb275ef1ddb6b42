/**
 * What a timeline means beside its ids, as a small record: `local-session.ts` moves it on, a
 * snapshot holds it. Numbers are indices of the timeline.
 */
import type { AssistantMessage, Message } from "../chat/conversation.ts";
import type { GenerateOptions, Input, ToolDefinition } from "../inference/engine.ts";
import { orderAnswers, waitingCalls } from "./answer-order.ts";
import type { ChatStep } from "./chat-format.ts";

export interface TextState {
  /** Of the conversation, all but an open turn. */
  readonly messages: readonly Message[];
  readonly tools: readonly ToolDefinition[];
  /** No conversation, or text behind one; the assistant's turn is open; it is not. */
  readonly turn: "text" | "open" | "closed";
  /** Of an open turn, its first id; else where the model took over. */
  readonly from: number;
  /** From here on, ids were made by the model. */
  readonly madeFrom: number;
  /** What the made text is held to, and since where; absent: it is free. */
  readonly format?: { readonly key: string; readonly from: number };
}

export const emptyState: TextState = {
  messages: [],
  tools: [],
  turn: "text",
  from: 0,
  madeFrom: 0,
};

/** The timeline as text input leaves it: an open turn goes on. */
export function afterText(state: TextState, length: number): TextState {
  const { messages, tools, turn, from } = state;
  return turn === "open"
    ? { messages, tools, turn, from, madeFrom: length }
    : { messages, tools, turn: "text", from: length, madeFrom: length };
}

/**
 * What messages make of a conversation.
 * @param reply of the open turn, if it has begun
 * @throws DATA for results that answer no call, or calls that are not answered
 */
export function stepWith(
  state: TextState,
  { messages, tools = state.tools }: Extract<Input, { kind: "messages" }>,
  ids: readonly number[],
  reply: AssistantMessage | undefined,
): ChatStep {
  const past = reply === undefined ? state.messages : [...state.messages, reply];
  const all = [...past, ...orderAnswers(past, messages)];
  const last = all.at(-1)?.role;
  const answerable = last === "user" || last === "tool";
  return {
    messages: all,
    added: messages.length,
    tools,
    toolsChanged: JSON.stringify(tools) !== JSON.stringify(state.tools),
    speaks: answerable && waitingCalls(all).length === 0,
    ids,
    openFrom: state.turn === "open" ? state.from : undefined,
  };
}

/** Gives the assistant the word, whoever spoke last. */
export function stepToSpeak({ messages, tools }: TextState, ids: readonly number[]): ChatStep {
  const openFrom = undefined;
  return { messages, added: 0, tools, toolsChanged: false, speaks: true, ids, openFrom };
}

export function afterStep({ messages, tools, speaks }: ChatStep, length: number): TextState {
  return { messages, tools, turn: speaks ? "open" : "closed", from: length, madeFrom: length };
}

/** A format goes on where it is asked for again, and begins anew where it is another one. */
export function withFormat(
  state: TextState,
  { format }: GenerateOptions,
  length: number,
): TextState {
  const { format: before, ...rest } = state;
  if (format === undefined || format.kind === "text") return rest;
  const key = JSON.stringify(format);
  return { ...rest, format: before?.key === key ? before : { key, from: length } };
}
