/**
 * `tokenizer.json` files as other tools write them, made from the rank tables of js-tiktoken: the
 * same vocabularies under the regular expressions, steps and flags of GPT-2, of converters of
 * cl100k_base, of Llama 3 and of Qwen2. Which two tokens made a token is found again by merging
 * its bytes with the earlier ones.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { toByteAlphabet } from "../../../src/llm/tokenizer/byte-alphabet.ts";
import { encodings } from "./tiktoken-peer.ts";

export interface ForeignFile {
  readonly added_tokens: readonly { readonly id: number; readonly content: string }[];
  readonly model: { readonly vocab: Record<string, number>; readonly merges: readonly unknown[] };
}

/** Tokens in the byte alphabet by rank. */
function namesOf(encoding: number, count?: number): string[] {
  const { bpe_ranks } = (encodings[encoding] as (typeof encodings)[number]).ranks;
  const tokens = bpe_ranks.split("\n").flatMap((row) => row.split(" ").slice(2));
  return tokens.slice(0, count).map((token) => toByteAlphabet(Buffer.from(token, "base64")));
}

/** The pair that makes each token of several bytes, in rank order. */
function mergesOf(names: readonly string[]): [string, string][] {
  const ranks = new Map(names.map((name, rank) => [name, rank]));
  return names.flatMap((name, rank): [string, string][] => {
    let parts = [...name];
    while (parts.length > 2) {
      const joined = parts.slice(1).map((part, i) => ranks.get(parts[i] + part) ?? Infinity);
      const best = Math.min(...joined);
      if (best >= rank) throw new Error(`no merges lead to ${name}`);
      const at = joined.indexOf(best);
      parts = [...parts.slice(0, at), `${parts[at]}${parts[at + 1]}`, ...parts.slice(at + 2)];
    }
    return parts.length === 2 ? [parts as [string, string]] : [];
  });
}

function model(names: readonly string[], merges: readonly unknown[], ignore: boolean): object {
  const vocab = Object.fromEntries(names.map((name, id) => [name, id]));
  return { type: "BPE", dropout: null, unk_token: null, ignore_merges: ignore, vocab, merges };
}

function added(names: readonly string[], firstId: number): object[] {
  const flags = { single_word: false, lstrip: false, rstrip: false, special: true };
  return names.map((content, i) => ({ id: firstId + i, content, normalized: false, ...flags }));
}

const level = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };

function splitBy(regex: string, behavior: string, invert: boolean): object {
  const split = { type: "Split", pattern: { Regex: regex }, behavior, invert };
  return { type: "Sequence", pretokenizers: [split, level] };
}

function foreign(parts: object): ForeignFile {
  const decoder = { ...level, use_regex: true };
  const rest = { normalizer: null, post_processor: null, decoder };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    ...rest,
    ...parts,
  } as unknown as ForeignFile;
}

/** GPT-2's: ByteLevel cuts by itself, merges are strings, the special token is in the vocabulary. */
export function gpt2File(): ForeignFile {
  const names = namesOf(0);
  const merges = mergesOf(names).map((pair) => pair.join(" "));
  return foreign({
    added_tokens: added(["<|endoftext|>"], 50256),
    pre_tokenizer: { ...level, use_regex: true },
    model: model([...names, "<|endoftext|>"], merges, false),
  });
}

const R = String.raw;
const LLAMA3 = R`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const QWEN2 = R`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const POSSESSIVE = R`'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`;
const NANOCHAT = R`'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`;

/** cl100k_base, all of it, with the holes in its ids. */
export function cl100kFile(): ForeignFile {
  const names = namesOf(1);
  return foreign({
    added_tokens: [...added(["<|endoftext|>"], 100257), ...added(["<|endofprompt|>"], 100276)],
    pre_tokenizer: splitBy(POSSESSIVE, "Removed", true),
    model: model(names, mergesOf(names), true),
  });
}

/** The first ranks of cl100k_base are a vocabulary as well; enough to try a split. */
function shortFile(regex: string, specials: readonly string[], asPairs: boolean): ForeignFile {
  const names = namesOf(1, 12_000);
  const merges = mergesOf(names);
  return foreign({
    added_tokens: added(specials, names.length),
    pre_tokenizer: splitBy(regex, "Isolated", false),
    model: model(names, asPairs ? merges : merges.map((pair) => pair.join(" ")), true),
  });
}

const chatTokens = ["<|im_start|>", "<|im_end|>", "<think>", "</think>"];
const llamaTokens = ["<|begin_of_text|>", "<|end_of_text|>", "<|begin_of_text", "<|eot_id|>"];

interface ForeignCase {
  readonly title: string;
  readonly split: "ByteLevel" | "Split";
  readonly file: () => ForeignFile;
}

export const foreignFiles: readonly ForeignCase[] = [
  { title: "GPT-2's tokenizer.json", split: "ByteLevel", file: gpt2File },
  { title: "a converted cl100k_base", split: "Split", file: cl100kFile },
  shortCase("a file like Llama 3's", LLAMA3, llamaTokens, true),
  shortCase("a file like Qwen2's", QWEN2, chatTokens, false),
  shortCase("a file like nanochat's", NANOCHAT, ["<|bos|>"], true),
];

function shortCase(title: string, ...args: Parameters<typeof shortFile>): ForeignCase {
  return { title, split: "Split", file: () => shortFile(...args) };
}

const FOLDER = join(import.meta.dirname, "../../../../shared/data/tokenizer/gpt2");

/** Why GPT-2's own files cannot be compared, if so. */
export const noGpt2Files: string | false = existsSync(FOLDER)
  ? false
  : "GPT-2's encoder.json.gz and vocab.bpe.gz are not beside the checkout";

export function readGpt2Files(): { vocab: Record<string, number>; merges: string[] } {
  const read = (name: string): string =>
    gunzipSync(readFileSync(join(FOLDER, name))).toString("utf8");
  const lines = read("vocab.bpe.gz").split("\n");
  const merges = lines.filter((line) => line !== "" && !line.startsWith("#version"));
  return { vocab: JSON.parse(read("encoder.json.gz")) as Record<string, number>, merges };
}
