/** Items of a response's output, as they grow and as they go over the wire. */
import { randomBytes } from "node:crypto";
import type { AssistantMessage } from "../../llm/chat/conversation.ts";
import type { TokenLogprob } from "../../llm/inference/engine.ts";
import { toWireToken } from "./logprob.ts";

export type Status = "in_progress" | "completed" | "incomplete" | "failed";

export interface TextItem {
  readonly type: "message";
  readonly id: string;
  status: Status;
  text: string;
  readonly tokens: TokenLogprob[];
}

export interface CallItem {
  readonly type: "function_call";
  readonly id: string;
  status: Status;
  readonly callId: string;
  readonly name: string;
  arguments: string;
}

export type OutputItem = TextItem | CallItem;

/** @param prefix as clients know it: "resp", "msg", "fc" */
export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(18).toString("hex")}`;
}

export function newText(): TextItem {
  return { type: "message", id: newId("msg"), status: "in_progress", text: "", tokens: [] };
}

export function newCall(callId: string, name: string): CallItem {
  const id = newId("fc");
  return { type: "function_call", id, status: "in_progress", callId, name, arguments: "" };
}

/** An item with all that it holds. */
export function renderItem(item: OutputItem): object {
  return item.type === "message" ? renderMessage(item, [renderPart(item)]) : renderCall(item);
}

/** An item that is just begun: a message has no part yet. */
export function renderNewItem(item: OutputItem): object {
  return item.type === "message" ? renderMessage(item, []) : renderCall(item);
}

function renderMessage({ type, id, status }: TextItem, content: readonly object[]): object {
  return { type, id, status, role: "assistant", content };
}

function renderCall({ type, id, status, callId, name, arguments: json }: CallItem): object {
  return { type, id, status, call_id: callId, name, arguments: json };
}

export function renderPart({ text, tokens }: Pick<TextItem, "text" | "tokens">): object {
  return { type: "output_text", text, annotations: [], logprobs: tokens.map(toWireToken) };
}

/** What was said, for the conversation. */
export function toMessage(items: readonly OutputItem[]): AssistantMessage {
  const content = items.map((item) => (item.type === "message" ? item.text : "")).join("");
  const toolCalls = items
    .filter((item) => item.type === "function_call")
    .map(({ callId, name, arguments: json }) => ({ id: callId, name, arguments: json }));
  return { role: "assistant", content, ...(toolCalls.length > 0 ? { toolCalls } : {}) };
}
