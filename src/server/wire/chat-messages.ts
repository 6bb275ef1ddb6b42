/**
 * The `messages` of chat as a conversation: one table of fields a role. `developer` is `system` by
 * its newer name. A tool's message must answer a call that was made before it.
 */
import type { Message, ToolCall } from "../../llm/chat/conversation.ts";
import { contentOf } from "./content.ts";
import {
  anObject,
  type Field,
  listOf,
  objectOf,
  oneOf,
  optional,
  type Read,
  required,
  text,
} from "./field.ts";
import { badField } from "./refusal.ts";

const MOST_MESSAGES = 10_000;
const MOST_CALLS = 128;

const content = contentOf("text");
const role: Field<string> = required(text);
const namesNobody = { refused: { name: "Write who speaks into the content." } } as const;

const callFields = {
  id: required(text),
  type: optional(oneOf("function")),
  function: required(
    objectOf(
      { name: required(text), arguments: required(text) },
      { harmless: ["parsed_arguments"] },
    ),
  ),
} as const;
/** Streamed calls have their index; clients that add them up or read them send that back. */
const call = objectOf(callFields, { harmless: ["index"] });

const plain = objectOf({ role, content: required(content) }, namesNobody);
const assistant = objectOf(
  {
    role,
    content: optional(content),
    tool_calls: optional(listOf(call, MOST_CALLS)),
  },
  {
    harmless: ["annotations", "parsed", "reasoning_content"],
    refused: {
      ...namesNobody.refused,
      refusal: "Write it into the content.",
      audio: "Only text is served.",
      function_call: "Use tool_calls.",
    },
  },
);
const tool = objectOf(
  { role, content: required(content), tool_call_id: required(text) },
  { harmless: ["name"] },
);

type ReadMessage = (value: unknown, param: string) => Message;

const system: ReadMessage = (value, param) => ({
  role: "system",
  content: plain(value, param).content,
});

const roles: Readonly<Record<string, ReadMessage>> = {
  system,
  developer: system,
  user: (value, param) => ({ role: "user", content: plain(value, param).content }),
  assistant: (value, param) => toAssistant(assistant(value, param), param),
  tool: (value, param) => {
    const { content: result, tool_call_id } = tool(value, param);
    return { role: "tool", callId: tool_call_id, content: result };
  },
};

function toAssistant(
  { content: said, tool_calls }: ReturnType<typeof assistant>,
  param: string,
): Message {
  if (said === undefined && (tool_calls ?? []).length === 0)
    throw badField(`${param}.content`, "is required where there are no tool_calls.");
  const toolCalls = (tool_calls ?? []).map(toCall);
  return { role: "assistant", content: said ?? "", ...(toolCalls.length > 0 ? { toolCalls } : {}) };
}

function toCall({ id, function: called }: ReturnType<typeof call>): ToolCall {
  return { id, name: called.name, arguments: called.arguments };
}

const message: Read<Message> = (value, param) => {
  const read = oneOf(...Object.keys(roles))(anObject(value, param).role, `${param}.role`);
  return (roles[read] as ReadMessage)(value, param);
};

export const chatMessages: Read<readonly Message[]> = (value, param) => {
  const messages = listOf(message, MOST_MESSAGES)(value, param);
  if (messages.length === 0) throw badField(param, "must hold a message, got none.");
  checkAnswers(messages, (i) => `${param}[${i}].tool_call_id`);
  return messages;
};

/** @throws Refusal for a result whose call nobody made */
export function checkAnswers(messages: readonly Message[], nameOf: (i: number) => string): void {
  const calls = new Set<string | undefined>();
  for (const [i, spoken] of messages.entries()) {
    if (spoken.role === "assistant") for (const { id } of spoken.toolCalls ?? []) calls.add(id);
    if (spoken.role === "tool" && !calls.has(spoken.callId))
      throw badField(nameOf(i), "answers a call that no assistant message before it made.");
  }
}
