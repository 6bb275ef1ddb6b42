/**
 * A tokenizer's file, by its extension: `.tiktoken` holds ranks, everything else is a
 * `tokenizer.json` of Hugging Face. Ranks say neither pattern nor special tokens; those of gpt2 and
 * cl100k_base are known by their number, for others the caller may name both.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { NutshellError } from "../../error.ts";
import type { BpeTokenizer } from "../../llm/tokenizer/bpe.ts";
import type { CharacterTokenizer } from "../../llm/tokenizer/character.ts";
import { CL100K_PATTERN, GPT2_PATTERN, SPLIT_PATTERN } from "../../llm/tokenizer/pattern.ts";
import { fromTiktoken, type TiktokenContext, toTiktoken } from "../../llm/tokenizer/tiktoken.ts";
import { fromTokenizerJson, toTokenizerJson } from "../../llm/tokenizer/tokenizer-json.ts";

/** Split patterns by the name that a flag gives them. */
export const patterns: Readonly<Record<PatternName, string>> = {
  own: SPLIT_PATTERN,
  gpt2: GPT2_PATTERN,
  cl100k: CL100K_PATTERN,
};

export type PatternName = "own" | "gpt2" | "cl100k";

/** What the flags say of a file that does not say it; absent: what its number of ranks implies. */
export interface FileContext {
  readonly pattern?: PatternName;
  readonly specialTokens?: readonly string[];
}

interface KnownRanks {
  readonly pattern: PatternName;
  readonly specialTokens: Readonly<Record<string, number>>;
}

/** Published vocabularies by their number of ranks. */
const knownRanks: Readonly<Record<number, KnownRanks>> = {
  50256: { pattern: "gpt2", specialTokens: { "<|endoftext|>": 50256 } },
  100256: {
    pattern: "cl100k",
    specialTokens: {
      "<|endoftext|>": 100257,
      "<|fim_prefix|>": 100258,
      "<|fim_middle|>": 100259,
      "<|fim_suffix|>": 100260,
      "<|endofprompt|>": 100276,
    },
  },
};

const isRanks = (file: string): boolean => /\.tiktoken$/i.test(file);

/** @throws TOKENIZER when the file is missing, damaged or asks for what is not done */
export function readTokenizer(
  file: string,
  context: FileContext = {},
): BpeTokenizer | CharacterTokenizer {
  const text = readText(file);
  if (!isRanks(file)) return fromTokenizerJson(text, file);
  return fromTiktoken(text, rankContext(text, context), file);
}

function rankContext(text: string, { pattern, specialTokens }: FileContext): TiktokenContext {
  const lines = text.split("\n").filter((line) => line.trim() !== "").length;
  const known = knownRanks[lines];
  const specials =
    specialTokens?.map((name, i): [string, number] => [name, lines + i]) ??
    Object.entries(known?.specialTokens ?? {});
  const name = pattern ?? known?.pattern ?? "own";
  return { pattern: patterns[name], specialTokens: new Map(specials) };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new NutshellError(
      "TOKENIZER",
      `tokenizer: ${file} must be readable, got ${(cause as Error).message}. ` +
        "Train one first (nutshell tokenizer train), or pass --tokenizer FILE.",
      { cause },
    );
  }
}

/** @throws DISK when it cannot be written, TOKENIZER when ranks cannot hold it */
export function writeTokenizer(file: string, tokenizer: BpeTokenizer): void {
  const text = isRanks(file) ? toTiktoken(tokenizer) : toTokenizerJson(tokenizer);
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } catch (cause) {
    throw new NutshellError(
      "DISK",
      `tokenizer: ${file} must be writable, got ${(cause as Error).message}. ` +
        "Pass another --tokenizer FILE.",
      { cause },
    );
  }
}
