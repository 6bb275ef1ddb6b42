/**
 * The contenders of bench:tokenizer, one vocabulary each: ours and three libraries for JavaScript,
 * each through its fastest call for a whole document whose special tokens are text.
 */
import { Tokenizer } from "@huggingface/tokenizers";
import * as gptCl100k from "gpt-tokenizer/encoding/cl100k_base";
import * as gptR50k from "gpt-tokenizer/encoding/r50k_base";
import { Tiktoken } from "js-tiktoken/lite";
import type { BpeTokenizer } from "../src/llm/tokenizer/bpe.ts";
import { fromTiktoken } from "../src/llm/tokenizer/tiktoken.ts";
import { cl100kFile, gpt2File } from "../test/llm/tokenizer/foreign-files.ts";
import { encodings, fileOfRanks } from "../test/llm/tokenizer/tiktoken-peer.ts";

export interface Contender {
  readonly name: string;
  encode(text: string): readonly number[];
}

export interface Contest {
  readonly vocabulary: string;
  readonly tokenizer: BpeTokenizer;
  readonly ours: Contender;
  readonly peers: readonly Contender[];
}

/** Saves gpt-tokenizer a search for special tokens in every document. */
const asText = { disallowedSpecial: new Set<string>() };

/** Its cache of 100,000 words spends most of the time on throwing out the oldest; here all fit. */
const CACHED_WORDS = 10_000_000;

const gpt: readonly Contender[] = [gptR50k, gptCl100k].map(({ encode, setMergeCacheSize }) => {
  setMergeCacheSize(CACHED_WORDS);
  return { name: "gpt-tokenizer", encode: (text) => encode(text, asText) };
});

export function ourTokenizer(index: number): BpeTokenizer {
  const { ranks, pattern } = encodings[index] as (typeof encodings)[number];
  return fromTiktoken(fileOfRanks(ranks), { pattern, specialTokens: new Map() });
}

export function openContest(index: number): Contest {
  const { name, ranks } = encodings[index] as (typeof encodings)[number];
  const tokenizer = ourTokenizer(index);
  const tiktoken = new Tiktoken(ranks);
  const huggingFace = new Tokenizer([gpt2File, cl100kFile][index]?.() as object, {});
  return {
    vocabulary: name,
    tokenizer,
    ours: { name: "nutshell", encode: (text) => tokenizer.encode(text) },
    peers: [
      gpt[index] as Contender,
      { name: "js-tiktoken", encode: (text) => tiktoken.encode(text, [], []) },
      {
        name: "@huggingface/tokenizers",
        encode: (text) => huggingFace.encode(text, { add_special_tokens: false }).ids,
      },
    ],
  };
}
