/**
 * Items of the responses API as a conversation: messages, calls and their outputs. Calls that stand
 * next to what the assistant said are one turn with it.
 * @see https://platform.openai.com/docs/api-reference/responses/create
 */
import type { AssistantMessage, Message } from "../../llm/chat/conversation.ts";
import { contentOf } from "./content.ts";
import { anObject, listOf, objectOf, oneOf, optional, type Read, required, text } from "./field.ts";
import { unsupported } from "./refusal.ts";

const MOST_ITEMS = 10_000;

/** What comes back from replies that were got here or elsewhere. */
const sentBack = { harmless: ["id", "status", "phase"] } as const;
const type = optional(text);

const messageItem = objectOf(
  {
    type,
    role: required(oneOf("user", "assistant", "system", "developer")),
    content: required(contentOf("input_text", "output_text", "text")),
  },
  sentBack,
);
const callItem = objectOf(
  { type, call_id: required(text), name: required(text), arguments: required(text) },
  sentBack,
);
const outputItem = objectOf(
  { type, call_id: required(text), output: required(contentOf("input_text", "output_text")) },
  sentBack,
);

type ReadItem = (value: unknown, param: string) => Message;

const kinds: Readonly<Record<string, ReadItem>> = {
  message: (value, param) => {
    const { role, content } = messageItem(value, param);
    return { role: role === "developer" ? "system" : role, content };
  },
  function_call: (value, param) => {
    const { call_id, name, arguments: json } = callItem(value, param);
    const toolCalls = [{ id: call_id, name, arguments: json }];
    return { role: "assistant", content: "", toolCalls };
  },
  function_call_output: (value, param) => {
    const { call_id, output } = outputItem(value, param);
    return { role: "tool", callId: call_id, content: output };
  },
};

const item: Read<Message> = (value, param) => {
  const kind = anObject(value, param).type ?? "message";
  const read = typeof kind === "string" && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (read !== undefined) return read(value, param);
  const served = Object.keys(kinds).join(", ");
  throw unsupported(`${param}.type`, `only items of ${served} are served.`);
};

/** A text is what the user says. */
export const responsesInput: Read<readonly Message[]> = (value, param) => {
  if (typeof value === "string") return [{ role: "user", content: value }];
  return joinTurns(listOf(item, MOST_ITEMS)(value, param));
};

/** Neighbouring items of the assistant as one message, calls behind the text. */
export function joinTurns(messages: readonly Message[]): readonly Message[] {
  const joined: Message[] = [];
  for (const message of messages) {
    const last = joined.at(-1);
    if (message.role === "assistant" && last?.role === "assistant" && canFollow(last, message))
      joined[joined.length - 1] = joinTwo(last, message);
    else joined.push(message);
  }
  return joined;
}

/** Text behind a call would begin a turn of its own. */
function canFollow(first: AssistantMessage, second: AssistantMessage): boolean {
  return first.toolCalls === undefined || second.content === "";
}

function joinTwo(first: AssistantMessage, second: AssistantMessage): AssistantMessage {
  const toolCalls = [...(first.toolCalls ?? []), ...(second.toolCalls ?? [])];
  const content = first.content + second.content;
  return { role: "assistant", content, ...(toolCalls.length > 0 ? { toolCalls } : {}) };
}
