/** A few questions, asked of the model as it stands; the same at every time of every run. */
import { createChat } from "../chat/converse.ts";
import type { ToolContext } from "../chat/tool.ts";
import type { TokenGenerator } from "../inference/generator.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

export const sampleQuestions: readonly string[] = ["What is 24 * 78?", "Who are you?", "Hello!"];

/** Of what the answers can read: a clock that stands still, no files. */
const world: ToolContext = { now: new Date(2026, 2, 20, 12, 0, 0), files: {} };
const MAX_TOKENS = 64;

/** @returns e.g. `Hello! → Hi, how can I help?`, with calls and results between ‹ and ›  */
export async function askSample(
  generator: TokenGenerator,
  tokenizer: Tokenizer,
  question: string,
  signal: AbortSignal,
): Promise<string> {
  const chat = createChat(generator, tokenizer, { world: () => world });
  const options = { temperature: 0, seed: 0, maxTokens: MAX_TOKENS, signal };
  let text = `${question} → `;
  for await (const event of chat.say(question, options))
    text += event.kind === "text-delta" ? event.text : ` ‹${event.text}› `;
  // Whatever an untrained model says must not move a terminal's cursor.
  return text.replace(/[\s\p{Cc}]+/gu, " ").trim();
}
