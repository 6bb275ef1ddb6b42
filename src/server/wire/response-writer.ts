/**
 * A response as it comes into being: engine events go in, semantic events come out, and at any time
 * it can be written as a whole. An item is opened, filled and closed before the next one begins.
 * @see https://platform.openai.com/docs/api-reference/responses-streaming
 */
import { randomBytes } from "node:crypto";
import type { AssistantMessage } from "../../llm/chat/conversation.ts";
import type { Delta, Ended, FinishReason, TokenLogprob } from "../../llm/inference/engine.ts";
import type { GenerationEvent } from "../generate.ts";
import type { ReplyHead } from "./chat-reply.ts";
import { toWireToken } from "./logprob.ts";
import { toRefusal } from "./refusal.ts";
import type { ResponseRequest } from "./response-request.ts";
import { countTokens, noTokens, toResponsesUsage } from "./usage.ts";

type Status = "in_progress" | "completed" | "incomplete" | "failed";

interface TextItem {
  readonly type: "message";
  readonly id: string;
  status: Status;
  text: string;
  readonly tokens: TokenLogprob[];
}

interface CallItem {
  readonly type: "function_call";
  readonly id: string;
  status: Status;
  readonly callId: string;
  readonly name: string;
  arguments: string;
}

type Item = TextItem | CallItem;

export interface ResponseEvent {
  readonly type: string;
  readonly sequence_number: number;
}

export interface ResponseWriter {
  readonly id: string;
  begin(): ResponseEvent[];
  add(event: GenerationEvent): ResponseEvent[];
  fail(error: unknown): ResponseEvent[];
  /** The response as it is now. */
  body(): object;
  /** The reply so far, for the conversation. */
  message(): AssistantMessage;
}

const incomplete: Partial<Record<FinishReason, string>> = {
  length: "max_output_tokens",
  "content-filter": "content_filter",
};

export function createResponseWriter(request: ResponseRequest, head: ReplyHead): ResponseWriter {
  const { created, model } = head;
  const id = newId("resp");
  const items: Item[] = [];
  const counts = noTokens();
  let status: Status = "in_progress";
  let reason: string | undefined;
  let failure: object | null = null;
  let completedAt: number | null = null;
  let sequence = 0;

  const event = (type: string, fields: object): ResponseEvent => ({
    type: `response.${type}`,
    sequence_number: sequence++,
    ...fields,
  });
  const place = (): object => ({ output_index: items.length - 1, item_id: items.at(-1)?.id });
  const body = (): object => ({
    id,
    object: "response",
    created_at: created,
    completed_at: completedAt,
    status,
    model,
    error: failure,
    incomplete_details: reason === undefined ? null : { reason },
    ...request.echo,
    output: items.map((item) => renderItem(item)),
    usage: status === "in_progress" ? null : toResponsesUsage(counts),
  });

  function open(item: Item): ResponseEvent[] {
    const closed = close("completed");
    items.push(item);
    const added = { output_index: items.length - 1, item: renderItem(item, 0) };
    const events = [...closed, event("output_item.added", added)];
    if (item.type === "function_call") return events;
    const part = renderPart({ text: "", tokens: [] });
    return [...events, event("content_part.added", { ...place(), content_index: 0, part })];
  }

  function close(ended: Status): ResponseEvent[] {
    const item = items.at(-1);
    if (item === undefined || item.status !== "in_progress") return [];
    item.status = ended;
    const done = { output_index: items.length - 1, item: renderItem(item) };
    const content = item.type === "message" ? closeText(item) : closeCall(item);
    return [...content, event("output_item.done", done)];
  }

  function closeText(item: TextItem): ResponseEvent[] {
    const { text, tokens } = item;
    const where = { ...place(), content_index: 0 };
    return [
      event("output_text.done", { ...where, text, logprobs: tokens.map(toWireToken) }),
      event("content_part.done", { ...where, part: renderPart(item) }),
    ];
  }

  function closeCall(item: CallItem): ResponseEvent[] {
    const { name, arguments: json } = item;
    return [event("function_call_arguments.done", { ...place(), name, arguments: json })];
  }

  function addDelta(delta: Delta): ResponseEvent[] {
    if (delta.type === "tool-call-start") return open(newCall(delta.id, delta.name));
    const last = items.at(-1);
    if (delta.type === "tool-call-delta") {
      (last as CallItem).arguments += delta.text;
      return [event("function_call_arguments.delta", { ...place(), delta: delta.text })];
    }
    const opened = last?.type === "message" ? [] : open(newText());
    const item = items.at(-1) as TextItem;
    const tokens = delta.tokens ?? [];
    item.text += delta.text;
    item.tokens.push(...tokens);
    const where = { ...place(), content_index: 0 };
    const piece = { ...where, delta: delta.text, logprobs: tokens.map(toWireToken) };
    return [...opened, event("output_text.delta", piece)];
  }

  function end({ finishReason }: Ended): ResponseEvent[] {
    reason = incomplete[finishReason];
    const opened = items.length === 0 ? open(newText()) : [];
    const final = reason === undefined ? "completed" : "incomplete";
    const closed = close(final);
    status = final;
    completedAt = reason === undefined ? Math.floor(Date.now() / 1000) : null;
    return [...opened, ...closed, event(final, { response: body() })];
  }

  return {
    id,
    body,
    begin: () => ["created", "in_progress"].map((type) => event(type, { response: body() })),
    add(made) {
      countTokens(counts, made);
      if (made.type === "prompt") return [];
      return made.type === "delta" ? addDelta(made.delta) : end(made.ended);
    },
    fail(error) {
      const { code, message } = toRefusal(error);
      failure = { code: code ?? "server_error", message };
      status = "failed";
      return [event("failed", { response: body() })];
    },
    message: () => toMessage(items),
  };
}

function newId(prefix: string): string {
  return `${prefix}_${randomBytes(18).toString("hex")}`;
}

function newText(): TextItem {
  return { type: "message", id: newId("msg"), status: "in_progress", text: "", tokens: [] };
}

function newCall(callId: string, name: string): CallItem {
  const id = newId("fc");
  return { type: "function_call", id, status: "in_progress", callId, name, arguments: "" };
}

/** @param parts shown: none of an item that is just begun */
function renderItem(item: Item, parts = 1): object {
  const { type, id, status } = item;
  if (item.type === "message")
    return { type, id, status, role: "assistant", content: parts > 0 ? [renderPart(item)] : [] };
  return { type, id, status, call_id: item.callId, name: item.name, arguments: item.arguments };
}

function renderPart({ text, tokens }: Pick<TextItem, "text" | "tokens">): object {
  return { type: "output_text", text, annotations: [], logprobs: tokens.map(toWireToken) };
}

function toMessage(items: readonly Item[]): AssistantMessage {
  const content = items.map((item) => (item.type === "message" ? item.text : "")).join("");
  const toolCalls = items
    .filter((item) => item.type === "function_call")
    .map(({ callId, name, arguments: json }) => ({ id: callId, name, arguments: json }));
  return { role: "assistant", content, ...(toolCalls.length > 0 ? { toolCalls } : {}) };
}
