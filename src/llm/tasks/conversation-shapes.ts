/**
 * The usual shapes of conversation files, recognised by their keys, first match wins:
 *
 *     OpenAI     {messages: [{role, content, tool_calls}]}
 *     ShareGPT   {conversations: [{from, value}], system}
 *     Dolly      {instruction, context, response}
 *     Alpaca     {instruction, input, output}
 *     plain      {prompt, response | completion}  {question, answer}
 */
import type { Message, ToolCall } from "../chat/conversation.ts";

type Row = Readonly<Record<string, unknown>>;

/** Messages; the reason why a row of a known shape is left out; undefined: not of this shape. */
export type Converted = readonly Message[] | string | undefined;

type Shape = (row: Row) => Converted;

const shapes: readonly Shape[] = [
  fromOpenAI,
  fromShareGpt,
  (row) => fromFields(row, "instruction", "context", "response"),
  (row) => fromFields(row, "instruction", "input", "output"),
  (row) => fromFields(row, "prompt", "", "response"),
  (row) => fromFields(row, "prompt", "", "completion"),
  (row) => fromFields(row, "question", "", "answer"),
];

/** For messages about rows of no shape. */
export const KNOWN_SHAPES: string =
  '"messages", "conversations", "instruction" with "output" or "response", "prompt" with ' +
  '"response", or "question" with "answer"';

export function convertRow(row: Row): Converted {
  for (const shape of shapes) {
    const converted = shape(row);
    if (converted !== undefined) return converted;
  }
  return undefined;
}

/** @returns a question, what it refers to below it, and the answer */
export function fromFields(row: Row, ask: string, context: string, reply: string): Converted {
  const { [ask]: question, [reply]: answer } = row;
  if (typeof question !== "string" || typeof answer !== "string") return undefined;
  const more = row[context];
  const content = typeof more === "string" && more.trim() ? `${question}\n\n${more}` : question;
  return [
    { role: "user", content },
    { role: "assistant", content: answer },
  ];
}

/** What each role is called in files. */
const roles: Readonly<Record<string, Message["role"]>> = {
  system: "system",
  developer: "system",
  user: "user",
  human: "user",
  assistant: "assistant",
  gpt: "assistant",
  chatgpt: "assistant",
  model: "assistant",
  bot: "assistant",
  tool: "tool",
  function: "tool",
  observation: "tool",
  function_response: "tool",
};

function fromOpenAI({ messages }: Row): Converted {
  if (!Array.isArray(messages)) return undefined;
  const made: Message[] = [];
  let waiting: string[] = [];
  for (const message of messages as readonly Row[]) {
    const role = roles[String(message?.role)];
    if (role === undefined) return undefined;
    const content = textOf(message.content);
    const toolCalls = role === "assistant" ? callsOf(message) : [];
    if (content === undefined || toolCalls === undefined) return "content that is not text";
    if (role === "tool" && !answersNext(message, waiting)) return "results in another order";
    if (toolCalls.length > 0) waiting = idsOf(message);
    made.push(toolCalls.length > 0 ? { role: "assistant", content, toolCalls } : { role, content });
  }
  return made;
}

/** Null beside calls; a list of parts, of which only text can be read here. */
function textOf(content: unknown): string | undefined {
  if (content === null || content === undefined) return "";
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return undefined;
  const texts = content.map((part: Row | null) => part?.text);
  return texts.every((text) => typeof text === "string") ? texts.join("\n") : undefined;
}

function callsOf({ tool_calls, function_call }: Row): ToolCall[] | undefined {
  const listed = Array.isArray(tool_calls) ? tool_calls.map((call: Row) => call?.function) : [];
  const all = function_call ? [...listed, function_call] : listed;
  const calls = all.map(toCall);
  return calls.every((call) => call !== undefined) ? calls : undefined;
}

/** @param call `{name, arguments}`, the arguments as an object or as its JSON */
export function toCall(call: unknown): ToolCall | undefined {
  const { name, arguments: args } = (call ?? {}) as Row;
  if (typeof name !== "string") return undefined;
  return { name, arguments: typeof args === "string" ? args : JSON.stringify(args ?? {}) };
}

function idsOf({ tool_calls }: Row): string[] {
  const calls = Array.isArray(tool_calls) ? (tool_calls as readonly Row[]) : [];
  return calls.map(({ id }) => (typeof id === "string" ? id : ""));
}

/** Results stand in the order of their calls; a file may name each result's call. */
function answersNext({ tool_call_id: id }: Row, waiting: string[]): boolean {
  const next = waiting.shift() ?? "";
  return typeof id !== "string" || next === "" || id === next;
}

function fromShareGpt({ conversations, system }: Row): Converted {
  if (!Array.isArray(conversations)) return undefined;
  const made: Message[] = [];
  if (typeof system === "string" && system.trim()) made.push({ role: "system", content: system });
  for (const { from, value } of conversations as readonly Row[]) {
    if (typeof value !== "string") return undefined;
    const role = roles[String(from)];
    if (role !== undefined) made.push({ role, content: value });
    else if (from !== "function_call") return undefined;
    else {
      const toolCalls = parseCalls(value);
      if (toolCalls === undefined) return "a call that is not JSON";
      made.push({ role: "assistant", content: "", toolCalls });
    }
  }
  return made;
}

/** One call or a list of them, as JSON. */
function parseCalls(text: string): ToolCall[] | undefined {
  try {
    const calls = [JSON.parse(text) as unknown].flat().map(toCall);
    return calls.every((call) => call !== undefined) ? calls : undefined;
  } catch {
    return undefined;
  }
}
