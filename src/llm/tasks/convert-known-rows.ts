/**
 * Rows of known sets whose shape is their own: service dialogues, small talk as turns, trivia with
 * choices, an identity with gaps to fill.
 */
import type { Message } from "../chat/conversation.ts";
import { type Converted, convertRow, toCall } from "./conversation-shapes.ts";

type Row = Readonly<Record<string, unknown>>;

const filled: Readonly<Record<string, string>> = {
  name: "Nutshell",
  author: "the Nutshell project",
};

/** Alpaca rows with {{name}} and {{author}} in their texts. */
export function fromIdentityTemplate(row: Row): Converted {
  const text = JSON.stringify(row).replace(/\{\{(\w+)\}\}/g, (gap, key) => filled[key] ?? gap);
  return convertRow(JSON.parse(text) as Row);
}

/** `{turns: [text, …]}`: the user first, then by turns. */
export function fromPlainTurns({ turns }: Row): Converted {
  if (!Array.isArray(turns)) return undefined;
  if (turns.some((turn) => typeof turn !== "string")) return "a turn that is not text";
  return turns.map((content: string, i) => ({ role: i % 2 === 0 ? "user" : "assistant", content }));
}

/** `{question, choices, answer}`, the answer being an index. */
export function fromTrivia({ question, choices, answer }: Row): Converted {
  if (typeof question !== "string" || !Array.isArray(choices)) return undefined;
  const right: unknown = choices[Number(answer)];
  if (typeof right !== "string") return "no right choice";
  const list = choices.map((choice) => `- ${choice}`).join("\n");
  return [
    { role: "user", content: `${question}\n${list}` },
    { role: "assistant", content: right },
  ];
}

/** `{turns: [{role, text, calls}]}` of SGD: calls come before the text of their turn. */
export function fromServiceDialogue({ turns }: Row): Converted {
  if (!Array.isArray(turns)) return undefined;
  return (turns as readonly Row[]).flatMap(({ role, text, calls }): Message[] => {
    const content = String(text ?? "");
    if (role === "user") return [{ role: "user", content }];
    const made = Array.isArray(calls) ? (calls as readonly Row[]) : [];
    return [...made.flatMap(toServiceCall), { role: "assistant", content }];
  });
}

/** Of several results only the first, which is what the dialogue goes on with. */
function toServiceCall({ method, parameters, results }: Row): Message[] {
  const call = toCall({ name: method, arguments: parameters });
  if (call === undefined) return [];
  const first: unknown = Array.isArray(results) ? results[0] : undefined;
  return [
    { role: "assistant", content: "", toolCalls: [call] },
    { role: "tool", content: first === undefined ? "no result" : JSON.stringify(first) },
  ];
}
