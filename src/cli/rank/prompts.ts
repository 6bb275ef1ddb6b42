/** What answers are sampled to: prompts of a file, or the built-in ones. */
import { NutshellError } from "../../error.ts";
import type { Message } from "../../llm/chat/conversation.ts";
import { convertRow } from "../../llm/tasks/conversation-shapes.ts";
import { readJsonRows, readLines } from "../../llm/tasks/json-rows.node.ts";
import { preference } from "../../llm/tasks/preferences.ts";
import { promptId } from "./session.ts";

export type Prompt = readonly Message[];

/**
 * @param file JSONL with `prompt` (text or messages) or `messages`; any other: a question a line
 * @param count prompts at most
 * @returns each prompt once
 * @throws DATA naming file and line for a row that is no prompt
 */
export async function readPrompts(
  file: string | undefined,
  count: number,
  seed: number,
): Promise<Prompt[]> {
  const found = new Map<string, Prompt>();
  for await (const prompt of file === undefined ? builtin(seed) : promptsOf(file)) {
    found.set(promptId(prompt), prompt);
    if (found.size >= count) break;
  }
  if (found.size > 0) return [...found.values()];
  throw new NutshellError("DATA", `${file}: a prompt is needed, got none. Write one a line.`);
}

function* builtin(seed: number): Generator<Prompt> {
  for (let index = 0; ; index++) yield preference(index, "train", seed).prompt;
}

async function* promptsOf(file: string): AsyncGenerator<Prompt> {
  if (!/\.jsonl(\.gz)?$/.test(file)) {
    for await (const { text } of readLines(file)) {
      if (text.trim() !== "") yield [{ role: "user", content: text.trim() }];
    }
    return;
  }
  for await (const { row, line } of readJsonRows(file)) yield toPrompt(row, `${file}:${line}`);
}

/** Up to the last user's turn: what comes after it is an answer of somebody else. */
function toPrompt(row: Readonly<Record<string, unknown>>, where: string): Prompt {
  const { prompt } = row;
  if (typeof prompt === "string") return [{ role: "user", content: prompt.trim() }];
  const messages = convertRow({ messages: prompt ?? row.messages });
  const last = Array.isArray(messages) ? messages.findLastIndex(({ role }) => role === "user") : -1;
  if (last >= 0) return (messages as Prompt).slice(0, last + 1);
  throw new NutshellError(
    "DATA",
    `${where}: a row must have "prompt" or "messages" with a user's turn, got keys ` +
      `${Object.keys(row).join(", ")}. Rename its fields.`,
  );
}
