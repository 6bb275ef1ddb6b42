/** Whether an assistant called the tools that a perfect one would have called, as it would have. */
import type { Message, ToolCall } from "../chat/conversation.ts";

/** All calls of a reply, in order. */
export function callsOf(messages: readonly Message[]): ToolCall[] {
  return messages.flatMap((message) =>
    message.role === "assistant" ? [...(message.toolCalls ?? [])] : [],
  );
}

/** Same calls in the same order; arguments are equal as JSON, in whatever order and spacing. */
export function isExactCall(reply: readonly Message[], solution: readonly Message[]): boolean {
  const [made, wanted] = [callsOf(reply), callsOf(solution)].map((calls) => calls.map(canonical));
  return JSON.stringify(made) === JSON.stringify(wanted);
}

function canonical({ name, arguments: text }: ToolCall): string[] {
  try {
    return [name, JSON.stringify(sorted(JSON.parse(text)))];
  } catch {
    // Not JSON: equal only to the same characters.
    return [name, "not JSON", text];
  }
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
