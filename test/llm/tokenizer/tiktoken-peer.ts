/** What tests share to run js-tiktoken beside our tokenizers. */

import { Tiktoken } from "js-tiktoken/lite";
import cl100k from "js-tiktoken/ranks/cl100k_base";
import gpt2 from "js-tiktoken/ranks/gpt2";
import { CL100K_PATTERN, GPT2_PATTERN } from "../../../src/llm/tokenizer/pattern.ts";
import type { TiktokenRanks } from "../../../src/llm/tokenizer/tiktoken.ts";

export interface Encoding {
  readonly name: string;
  readonly ranks: TiktokenRanks;
  /** The encoding's pattern as ours. */
  readonly pattern: string;
}

export const encodings: readonly Encoding[] = [
  { name: "gpt2", ranks: gpt2, pattern: GPT2_PATTERN },
  { name: "cl100k_base", ranks: cl100k, pattern: CL100K_PATTERN },
];

/** js-tiktoken reading special tokens as text. */
export function peerEncode(peer: Tiktoken, text: string): number[] {
  return peer.encode(text, [], []);
}

/** js-tiktoken with the white space of Unicode, as tiktoken itself has it, and not JavaScript's. */
export function createUnicodePeer(ranks: TiktokenRanks): Tiktoken {
  const pat_str = ranks.pat_str.replaceAll("\\s", "\\p{White_Space}");
  return new Tiktoken({ ...ranks, pat_str: pat_str.replaceAll("\\S", "\\P{White_Space}") });
}

/** The lines of a `.tiktoken` file as js-tiktoken takes them. */
export function compactRanks(file: string): string {
  return file.replace(/^(\S+) (\d+)$/gm, "! $2 $1");
}

/** The other way round. */
export function fileOfRanks({ bpe_ranks }: TiktokenRanks): string {
  const lines = bpe_ranks.split("\n").flatMap((row) => {
    const [, first, ...tokens] = row.split(" ");
    return tokens.map((token, i) => `${token} ${Number(first) + i}\n`);
  });
  return lines.join("");
}
