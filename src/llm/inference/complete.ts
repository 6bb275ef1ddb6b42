/**
 * Text in, text out: the tokenizer's side of generation. A text begins with the token that starts
 * every document, as in training, and ends where the model starts the next one. What comes out
 * never splits a UTF-8 character.
 */
import { NutshellError } from "../../error.ts";
import { createStreamDecoder } from "../tokenizer/stream-decoder.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { FinishReason, GenerateOptions, TokenGenerator } from "./generator.ts";

export interface Completion {
  /** What follows the prompt. */
  readonly text: string;
  readonly promptTokens: number;
  /** New tokens. */
  readonly tokens: number;
  readonly finishReason: FinishReason;
}

/**
 * @returns one piece of text per token, "" when its characters are not whole yet, and what is left
 *   of them at the end; then the whole
 * @throws CONFIG as `generate` does, and for an empty prompt without a token to start from;
 *   TOKENIZER when the prompt cannot be written in this vocabulary
 */
export async function* completeText(
  generator: TokenGenerator,
  tokenizer: Tokenizer,
  prompt: string,
  options: Omit<GenerateOptions, "stop" | "vocabSize">,
): AsyncGenerator<string, Completion> {
  const { vocabSize } = tokenizer;
  const ids = promptIds(tokenizer, prompt);
  const stop = tokenizer.bos === undefined ? [] : [tokenizer.bos];
  const decoder = createStreamDecoder(tokenizer);
  const timeline = generator.generate(ids, { ...options, vocabSize, stop });
  let text = "";
  let tokens = 0;
  try {
    let next = await timeline.next();
    for (; next.done !== true; next = await timeline.next()) {
      const piece = decoder.push(next.value);
      text += piece;
      tokens++;
      yield piece;
    }
    const rest = decoder.end();
    if (rest !== "") yield rest;
    text += rest;
    return { text, promptTokens: ids.length, tokens, finishReason: next.value };
  } finally {
    await timeline.return("aborted"); // A reader that leaves early frees the generator.
  }
}

function promptIds(tokenizer: Tokenizer, prompt: string): number[] {
  const start = tokenizer.bos === undefined ? [] : [tokenizer.bos];
  const ids = [...start, ...tokenizer.encode(prompt)];
  if (ids.length > 0) return ids;
  throw new NutshellError(
    "CONFIG",
    "complete: prompt must hold a character, got none, and this vocabulary has no token that " +
      "starts a text. Write a prompt.",
  );
}
