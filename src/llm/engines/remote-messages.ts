/**
 * A conversation in the form of the AI SDK. Calls without an id get one by their place, and results
 * stand in the order of the calls (`answer-order.ts`), so that each finds its own.
 */
import type { ModelMessage, ProviderMetadata } from "ai";
import { NutshellError } from "../../error.ts";
import type { AssistantMessage, Message, ToolCall } from "../chat/conversation.ts";

/** What a provider wants to see again beside a call, by the call's id. */
export type CallNotes = Readonly<Record<string, ProviderMetadata>>;

interface OpenCall {
  readonly id: string;
  readonly call: ToolCall;
}

/** @throws DATA for a call whose arguments are no JSON */
export function toModelMessages(messages: readonly Message[], notes: CallNotes): ModelMessage[] {
  const waiting: OpenCall[] = [];
  return messages.map((message, at): ModelMessage => {
    if (message.role === "tool") return toResult(message.content, waiting.shift());
    if (message.role !== "assistant") return { role: message.role, content: message.content };
    const calls = toOpenCalls(message, at);
    waiting.splice(0, waiting.length, ...calls);
    return toAssistant(message, calls, notes);
  });
}

function toOpenCalls({ toolCalls = [] }: AssistantMessage, at: number): OpenCall[] {
  return toolCalls.map((call, i) => ({ id: call.id ?? `call_${at}_${i}`, call }));
}

function toAssistant(
  { content }: AssistantMessage,
  calls: readonly OpenCall[],
  notes: CallNotes,
): ModelMessage {
  if (calls.length === 0) return { role: "assistant", content };
  const text = content === "" ? [] : [{ type: "text" as const, text: content }];
  const parts = calls.map(({ id, call }) => {
    const note = notes[id];
    return {
      type: "tool-call" as const,
      ...{ toolCallId: id, toolName: call.name, input: parseArguments(call) },
      ...(note === undefined ? {} : { providerOptions: note }),
    };
  });
  return { role: "assistant", content: [...text, ...parts] };
}

function toResult(value: string, open: OpenCall | undefined): ModelMessage {
  if (open === undefined)
    throw new NutshellError("DATA", "conversation: a result must answer a call, got none before.");
  const { id, call } = open;
  const output = { type: "text" as const, value };
  const part = { type: "tool-result" as const, toolCallId: id, toolName: call.name, output };
  return { role: "tool", content: [part] };
}

function parseArguments(call: ToolCall): unknown {
  try {
    return JSON.parse(call.arguments === "" ? "{}" : call.arguments);
  } catch (cause) {
    const got = JSON.stringify(call.arguments.slice(0, 80));
    const message = `conversation: arguments of ${call.name} must be JSON, got ${got}.`;
    throw new NutshellError("DATA", message, { cause });
  }
}
