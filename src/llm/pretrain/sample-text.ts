/** A short text from a model in training: how good it is, in a form that anyone can judge. */
import type { TokenGenerator } from "../inference/generator.ts";
import { createStreamDecoder } from "../tokenizer/stream-decoder.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

export interface SampleOptions {
  readonly prompt: string;
  readonly maxTokens: number;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** @returns the new text, without the prompt; ends early at the end of a document */
export async function sampleText(
  generator: TokenGenerator,
  tokenizer: Tokenizer,
  { prompt, maxTokens, seed, signal }: SampleOptions,
): Promise<string> {
  const { bos } = tokenizer;
  const ids = [...(bos === undefined ? [] : [bos]), ...tokenizer.encode(prompt)];
  const stop = bos === undefined ? [] : [bos];
  const decoder = createStreamDecoder(tokenizer);
  const sampling = { temperature: 0.8, topP: 0.95, maxTokens, seed, stop, signal };
  let text = "";
  for await (const id of generator.generate(ids, sampling)) text += decoder.push(id);
  return text + decoder.end();
}
