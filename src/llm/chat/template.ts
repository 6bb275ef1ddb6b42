/**
 * The one chat template: how a conversation becomes tokens, and how a reply becomes messages.
 *
 *     <|bos|>
 *     <|system_start|>TEXT<|system_end|>
 *     <|user_start|>TEXT<|user_end|>
 *     <|assistant_start|>TEXT<|call_start|>NAME JSON<|call_end|> …<|assistant_end|>
 *     <|tool_start|>TEXT<|tool_end|> …                 one per call, then the assistant again
 *
 * Nothing stands between messages. Learned is all of an assistant's turn but the mark that opens
 * it: the marks of its calls and <|assistant_end|> are its own choice. The text of a message never
 * becomes a mark, whatever it spells.
 */
import { NutshellError } from "../../error.ts";
import { specialTokens } from "../tokenizer/special-tokens.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { renderCall } from "./call-text.ts";
import type { Conversation, Message } from "./conversation.ts";
import { findMarks, type Marks } from "./marks.ts";
import { checkOrder, checkPrompt } from "./message-order.ts";
import { createReplyReader, cutAtMarks, type ParsedReply } from "./reply-reader.ts";

export interface Rendered {
  readonly ids: Int32Array;
  /** 1 where the token is to be learned (as a target). */
  readonly mask: Uint8Array;
}

/**
 * @throws DATA naming the first message out of order or call without a JSON object; TOKENIZER
 *   when the vocabulary lacks a mark
 */
export function renderConversation(conversation: Conversation, tokenizer: Tokenizer): Rendered {
  checkOrder(conversation.messages);
  const marks = findMarks(tokenizer);
  const ids: number[] = [marks.bos];
  const mask: number[] = [0];
  for (const message of conversation.messages) {
    const rendered = renderMessage(message, tokenizer, marks);
    const learned = message.role === "assistant" && message.train !== false ? 1 : 0;
    for (const [i, id] of rendered.entries()) {
      ids.push(id);
      mask.push(i === 0 ? 0 : learned);
    }
  }
  return { ids: Int32Array.from(ids), mask: Uint8Array.from(mask) };
}

/**
 * @returns the messages, then the mark that gives the assistant the word
 * @throws as renderConversation does, and DATA when it is not the assistant's turn
 */
export function renderPrompt(messages: readonly Message[], tokenizer: Tokenizer): number[] {
  checkPrompt(messages);
  const marks = findMarks(tokenizer);
  const turns = messages.flatMap((message) => renderMessage(message, tokenizer, marks));
  return [marks.bos, ...turns, marks.assistantStart];
}

/** One message between its marks. */
export function renderMessage(message: Message, tokenizer: Tokenizer, marks: Marks): number[] {
  const [start, end] = marks.frames[message.role];
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  const spelled = calls.flatMap((call) => [
    marks.callStart,
    ...tokenizer.encode(renderCall(call)),
    marks.callEnd,
  ]);
  return [start, ...tokenizer.encode(message.content), ...spelled, end];
}

/** @param ids what came after the prompt's <|assistant_start|>, tool results included */
export function parseReply(ids: readonly number[], tokenizer: Tokenizer): ParsedReply {
  const marks = findMarks(tokenizer);
  const reader = createReplyReader(marks);
  for (const segment of cutAtMarks(ids, tokenizer, marks.assistantStart)) {
    if (!reader.read(segment)) break;
  }
  return reader.finish();
}

/**
 * @param where what needs the marks, e.g. the tokenizer's file
 * @throws TOKENIZER naming the marks that are missing
 */
export function requireChatTokens(tokenizer: Tokenizer, where: string): void {
  const missing = specialTokens.filter((name) => !tokenizer.specialTokens.has(name));
  if (missing.length === 0) return;
  throw new NutshellError(
    "TOKENIZER",
    `${where}: a vocabulary for conversations must hold every mark, got none for ` +
      `${missing.join(" ")}. Train the tokenizer anew: it gets them all.`,
  );
}

/**
 * The same template for Hugging Face, where a call is `{"function": {"name", "arguments"}}` with
 * arguments as text or as an object. It checks roles, not their order.
 */
export const chatTemplateJinja: string = [
  "{{- bos_token }}",
  "{%- for message in messages %}",
  "{%- if message.role == 'assistant' %}",
  "{{- '<|assistant_start|>' + (message.content or '') }}",
  "{%- for call in message.tool_calls or [] %}",
  "{%- set json = call.function.arguments %}",
  "{%- if json is not string %}{% set json = json | tojson %}{% endif %}",
  "{{- '<|call_start|>' + call.function.name + ' ' + json + '<|call_end|>' }}",
  "{%- endfor %}",
  "{{- '<|assistant_end|>' }}",
  "{%- elif message.role in ['system', 'user', 'tool'] %}",
  "{{- '<|' + message.role + '_start|>' + message.content + '<|' + message.role + '_end|>' }}",
  "{%- else %}",
  "{{- raise_exception('a role must be system, user, assistant or tool, got ' + message.role) }}",
  "{%- endif %}",
  "{%- endfor %}",
  "{%- if add_generation_prompt %}{{- '<|assistant_start|>' }}{%- endif %}",
].join("\n");
