/**
 * A response as it comes into being: engine events go in, semantic events come out, and at any time
 * it can be written as a whole. An item is opened, filled and closed before the next one begins.
 * @see https://platform.openai.com/docs/api-reference/responses-streaming
 */
import type { AssistantMessage } from "../../llm/chat/conversation.ts";
import type { Delta, Ended, FinishReason } from "../../llm/inference/engine.ts";
import type { GenerationEvent } from "../generate.ts";
import type { ReplyHead } from "./chat-reply.ts";
import { toWireToken } from "./logprob.ts";
import {
  type CallItem,
  newCall,
  newId,
  newText,
  type OutputItem,
  renderItem,
  renderNewItem,
  renderPart,
  type Status,
  type TextItem,
  toMessage,
} from "./output-item.ts";
import { toRefusal } from "./refusal.ts";
import type { ResponseRequest } from "./response-request.ts";
import { countTokens, noTokens, toResponsesUsage } from "./usage.ts";

export interface ResponseEvent {
  readonly type: string;
  readonly sequence_number: number;
}

const incomplete: Partial<Record<FinishReason, string>> = {
  length: "max_output_tokens",
  "content-filter": "content_filter",
};

export class ResponseWriter {
  readonly id: string = newId("resp");
  readonly #echo: object;
  readonly #head: ReplyHead;
  readonly #items: OutputItem[] = [];
  readonly #counts = noTokens();
  #status: Status = "in_progress";
  #reason: string | undefined;
  #failure: object | null = null;
  #completedAt: number | null = null;
  #sequence = 0;

  constructor({ echo }: ResponseRequest, head: ReplyHead) {
    this.#echo = echo;
    this.#head = head;
  }

  begin(): ResponseEvent[] {
    return ["created", "in_progress"].map((type) => this.#event(type, { response: this.body() }));
  }

  add(event: GenerationEvent): ResponseEvent[] {
    countTokens(this.#counts, event);
    if (event.type === "prompt") return [];
    return event.type === "delta" ? this.#addDelta(event.delta) : this.#end(event.ended);
  }

  fail(error: unknown): ResponseEvent[] {
    const { code, message } = toRefusal(error);
    this.#failure = { code: code ?? "server_error", message };
    this.#status = "failed";
    return [this.#event("failed", { response: this.body() })];
  }

  /** The response as it is now. */
  body(): object {
    const { created, model } = this.#head;
    const reason = this.#reason;
    return {
      id: this.id,
      object: "response",
      created_at: created,
      completed_at: this.#completedAt,
      status: this.#status,
      model,
      error: this.#failure,
      incomplete_details: reason === undefined ? null : { reason },
      ...this.#echo,
      output: this.#items.map(renderItem),
      usage: this.#status === "in_progress" ? null : toResponsesUsage(this.#counts),
    };
  }

  /** The reply so far, for the conversation. */
  message(): AssistantMessage {
    return toMessage(this.#items);
  }

  #event(type: string, fields: object): ResponseEvent {
    return { type: `response.${type}`, sequence_number: this.#sequence++, ...fields };
  }

  /** Where the item that grows stands. */
  #place(): { readonly output_index: number; readonly item_id: string | undefined } {
    return { output_index: this.#items.length - 1, item_id: this.#items.at(-1)?.id };
  }

  #open(item: OutputItem): ResponseEvent[] {
    const closed = this.#close("completed");
    this.#items.push(item);
    const added = { output_index: this.#items.length - 1, item: renderNewItem(item) };
    const events = [...closed, this.#event("output_item.added", added)];
    if (item.type === "function_call") return events;
    const part = renderPart({ text: "", tokens: [] });
    return [
      ...events,
      this.#event("content_part.added", { ...this.#place(), content_index: 0, part }),
    ];
  }

  #close(status: Status): ResponseEvent[] {
    const item = this.#items.at(-1);
    if (item === undefined || item.status !== "in_progress") return [];
    item.status = status;
    const content = item.type === "message" ? this.#closeText(item) : this.#closeCall(item);
    const done = { output_index: this.#items.length - 1, item: renderItem(item) };
    return [...content, this.#event("output_item.done", done)];
  }

  #closeText(item: TextItem): ResponseEvent[] {
    const { text, tokens } = item;
    const where = { ...this.#place(), content_index: 0 };
    return [
      this.#event("output_text.done", { ...where, text, logprobs: tokens.map(toWireToken) }),
      this.#event("content_part.done", { ...where, part: renderPart(item) }),
    ];
  }

  #closeCall({ name, arguments: json }: CallItem): ResponseEvent[] {
    const done = { ...this.#place(), name, arguments: json };
    return [this.#event("function_call_arguments.done", done)];
  }

  #addDelta(delta: Delta): ResponseEvent[] {
    if (delta.type === "tool-call-start") return this.#open(newCall(delta.id, delta.name));
    if (delta.type === "text-delta") return this.#addText(delta);
    (this.#items.at(-1) as CallItem).arguments += delta.text;
    return [this.#event("function_call_arguments.delta", { ...this.#place(), delta: delta.text })];
  }

  #addText({ text, tokens = [] }: Extract<Delta, { type: "text-delta" }>): ResponseEvent[] {
    const opened = this.#items.at(-1)?.type === "message" ? [] : this.#open(newText());
    const item = this.#items.at(-1) as TextItem;
    item.text += text;
    item.tokens.push(...tokens);
    const where = { ...this.#place(), content_index: 0 };
    const piece = { ...where, delta: text, logprobs: tokens.map(toWireToken) };
    return [...opened, this.#event("output_text.delta", piece)];
  }

  #end({ finishReason }: Ended): ResponseEvent[] {
    this.#reason = incomplete[finishReason];
    const opened = this.#items.length === 0 ? this.#open(newText()) : [];
    const status = this.#reason === undefined ? "completed" : "incomplete";
    const closed = this.#close(status);
    this.#status = status;
    if (status === "completed") this.#completedAt = Math.floor(Date.now() / 1000);
    return [...opened, ...closed, this.#event(status, { response: this.body() })];
  }
}
