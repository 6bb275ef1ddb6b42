/**
 * Chat's two kinds of reply from the same events: one object at the end, or a chunk an event.
 * @see https://platform.openai.com/docs/api-reference/chat/object
 */
import type { Delta, TokenLogprob } from "../../llm/inference/engine.ts";
import { renderEvent } from "../event-stream.ts";
import type { GenerationEvent } from "../generate.ts";
import type { ChatRequest } from "./chat-request.ts";
import { finishReasons, type WireFinishReason } from "./finish-reason.ts";
import { toWireLogprobs, type WireLogprobs } from "./logprob.ts";
import { countTokens, noTokens, toWireUsage, type WireUsage } from "./usage.ts";

/** What all of a reply has in common. */
export interface ReplyHead {
  readonly id: string;
  readonly created: number;
  readonly model: string;
}

interface WireCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; arguments: string };
}

interface Choice {
  content: string;
  readonly calls: WireCall[];
  readonly tokens: TokenLogprob[];
  finishReason: WireFinishReason | null;
}

/** @returns the body of a reply that is not streamed */
export async function chatReply(
  events: AsyncIterable<GenerationEvent>,
  { n, logprobs }: ChatRequest,
  head: ReplyHead,
): Promise<object> {
  const counts = noTokens();
  const choices = Array.from({ length: n }, emptyChoice);
  for await (const event of events) {
    countTokens(counts, event);
    if (event.type === "prompt") continue;
    const choice = choices[event.choice] as Choice;
    if (event.type === "ended") choice.finishReason = finishReasons[event.ended.finishReason];
    else addDelta(choice, event.delta);
  }
  return {
    ...head,
    object: "chat.completion",
    choices: choices.map((choice, index) => renderChoice(choice, index, logprobs)),
    usage: toWireUsage(counts),
  };
}

function emptyChoice(): Choice {
  return { content: "", calls: [], tokens: [], finishReason: null };
}

function addDelta(choice: Choice, delta: Delta): void {
  if (delta.type === "text-delta") {
    choice.content += delta.text;
    choice.tokens.push(...(delta.tokens ?? []));
  } else if (delta.type === "tool-call-start") {
    const called = { name: delta.name, arguments: "" };
    choice.calls[delta.index] = { id: delta.id, type: "function", function: called };
  } else (choice.calls[delta.index] as WireCall).function.arguments += delta.text;
}

function renderChoice(choice: Choice, index: number, logprobs: boolean): object {
  const { content, calls, tokens, finishReason } = choice;
  return {
    index,
    message: {
      role: "assistant",
      content: content === "" && calls.length > 0 ? null : content,
      refusal: null,
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    },
    logprobs: logprobs ? toWireLogprobs(tokens) : null,
    finish_reason: finishReason,
  };
}

interface WireDelta {
  readonly role?: "assistant";
  readonly content?: string | null;
  readonly tool_calls?: readonly object[];
}

interface ChunkChoice {
  readonly index: number;
  readonly delta: WireDelta;
  readonly logprobs: WireLogprobs | null;
  readonly finish_reason: WireFinishReason | null;
}

/** @yields server-sent events, the last of them `[DONE]` */
export async function* chatChunks(
  events: AsyncIterable<GenerationEvent>,
  { n, includeUsage }: ChatRequest,
  head: ReplyHead,
): AsyncGenerator<string, void> {
  const counts = noTokens();
  const chunk = (choices: readonly ChunkChoice[], usage: WireUsage | null): string =>
    renderEvent({
      ...head,
      object: "chat.completion.chunk",
      choices,
      ...(includeUsage ? { usage } : {}),
    });
  for await (const event of events) {
    countTokens(counts, event);
    for (const choice of toChunkChoices(event, n)) yield chunk([choice], null);
  }
  if (includeUsage) yield chunk([], toWireUsage(counts));
  yield renderEvent("[DONE]");
}

function toChunkChoices(event: GenerationEvent, n: number): ChunkChoice[] {
  const blank = { logprobs: null, finish_reason: null };
  if (event.type === "prompt") {
    const delta = { role: "assistant", content: "" } as const;
    return Array.from({ length: n }, (_, index) => ({ index, delta, ...blank }));
  }
  const index = event.choice;
  if (event.type === "ended")
    return [{ ...blank, index, delta: {}, finish_reason: finishReasons[event.ended.finishReason] }];
  const { delta } = event;
  const tokens = delta.type === "text-delta" ? delta.tokens : undefined;
  return [
    {
      ...blank,
      index,
      delta: toWireDelta(delta),
      logprobs: tokens ? toWireLogprobs(tokens) : null,
    },
  ];
}

function toWireDelta(delta: Delta): WireDelta {
  if (delta.type === "text-delta") return { content: delta.text };
  const { index } = delta;
  if (delta.type === "tool-call-delta")
    return { tool_calls: [{ index, function: { arguments: delta.text } }] };
  const { id, name } = delta;
  return { tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] };
}
