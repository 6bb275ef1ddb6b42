/** A tokenizer with the marks of conversations: bytes, "clock" and " {}", eleven marks. */
import type { BpeTokenizer } from "../../../src/llm/tokenizer/bpe.ts";
import { specialTokens } from "../../../src/llm/tokenizer/special-tokens.ts";
import { trainBpe } from "../../../src/llm/tokenizer/train.ts";

export const chatTokenizer: BpeTokenizer = trainBpe(["clock {} ".repeat(9)], {
  vocabSize: 256 + 6 + specialTokens.length,
  specialTokens,
});

/** Ids by hand: text as its bytes, a mark by its short name. */
export const CLOCK = 261;
export const BRACES = 260;

/** Ids of a text in which marks are spelled out. */
export function idsOf(text: string): number[] {
  return chatTokenizer.encode(text, { specials: true });
}
