/**
 * Vocabularies of tiktoken, in and out. A `.tiktoken` file has one token a line: its bytes in
 * base64, a blank, its rank. The rank is the id, and among neighbours whose joined bytes are a
 * token the smallest rank merges first. The file knows neither the split pattern nor the special
 * tokens; whoever reads it names them.
 *
 *     IQ== 0
 *     Ig== 1
 *
 * js-tiktoken's `ranks` objects hold all three; their patterns are JavaScript's.
 */

import { NutshellError } from "../../error.ts";
import { type BpeTokenizer, type BpeVocabulary, createBpeTokenizer, type Merge } from "./bpe.ts";
import { fromForeignPattern, withJavaScriptSpaces } from "./pattern-spellings.ts";

/** As in `js-tiktoken/ranks/…`: each line is `!`, a rank, and the tokens from that rank on. */
export interface TiktokenRanks {
  readonly pat_str: string;
  readonly special_tokens: Readonly<Record<string, number>>;
  readonly bpe_ranks: string;
}

/** What a `.tiktoken` file does not say. */
export interface TiktokenContext {
  /** Split pattern, in the dialect of `pattern.ts`. */
  readonly pattern: string;
  readonly specialTokens: ReadonlyMap<string, number>;
}

/** Token bytes, one character each: a key that makes them findable. */
type Latin1 = string;

interface Entry {
  readonly base64: string;
  readonly rank: string;
  readonly line: number;
}

/** No vocabulary has as many ids; a rank beyond is damage that would cost gigabytes. */
const MOST_IDS = 1 << 24;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * @param text the file's text  @param file its name, for error messages
 * @throws TOKENIZER when the text is not such a file; the message names the line
 */
export function fromTiktoken(
  text: string,
  { pattern, specialTokens }: TiktokenContext,
  file = "ranks.tiktoken",
): BpeTokenizer {
  const entries = text.split("\n").flatMap((row, i): Entry[] => {
    const [base64 = "", rank = ""] = row.trimEnd().split(" ");
    return base64 === "" ? [] : [{ base64, rank, line: i + 1 }];
  });
  return fromEntries(entries, pattern, specialTokens, file);
}

/** @param ranks what a module of `js-tiktoken/ranks` exports  @throws TOKENIZER when damaged */
export function fromTiktokenRanks(ranks: TiktokenRanks, file = "ranks"): BpeTokenizer {
  const entries = ranks.bpe_ranks.split("\n").flatMap((row, i): Entry[] => {
    const [, first, ...tokens] = row.split(" ");
    return tokens.map((base64, k) => ({ base64, rank: `${Number(first) + k}`, line: i + 1 }));
  });
  const pattern = withJavaScriptSpaces(fromForeignPattern(ranks.pat_str, file));
  return fromEntries(entries, pattern, new Map(Object.entries(ranks.special_tokens)), file);
}

function fromEntries(
  entries: readonly Entry[],
  pattern: string,
  specialTokens: ReadonlyMap<string, number>,
  file: string,
): BpeTokenizer {
  const names: Latin1[] = [];
  const ids = new Map<Latin1, number>();
  for (const entry of entries) addToken(names, ids, entry, file);
  const specials = [...specialTokens].sort(([, a], [, b]) => a - b);
  for (const [name, id] of specials) reserveSpecial(names, name, id, file);
  const byteIds = Array.from({ length: 256 }, (_, byte) => {
    const id = ids.get(String.fromCharCode(byte));
    if (id === undefined) throw broken(file, "every byte must have a token", `none for ${byte}`);
    return id;
  });
  const tokens = Array.from(names, (name = "") => toBytes(name));
  return createBpeTokenizer({
    tokens,
    specialTokens: new Map(specials),
    byteIds,
    merges: allMerges(names, ids),
    mergeOrder: "token-id",
    wholePieces: true,
    pattern,
  });
}

function addToken(
  names: Latin1[],
  ids: Map<Latin1, number>,
  { base64, rank, line }: Entry,
  file: string,
): void {
  const where = `${file} line ${line}`;
  if (!BASE64.test(base64)) throw broken(where, "a token is written in base64", base64);
  const name = atob(base64);
  const id = /^\d+$/.test(rank) ? Number(rank) : Number.NaN;
  if (!(id < MOST_IDS)) throw broken(where, `a rank is an integer below ${MOST_IDS}`, rank);
  if (names[id] !== undefined) throw broken(where, "every rank has one token", `${id} again`);
  if (ids.has(name)) throw broken(where, "every token has one rank", `${base64} again`);
  names[id] = name;
  ids.set(name, id);
}

/** Special tokens have no bytes; ids that nobody uses neither. */
function reserveSpecial(names: Latin1[], name: string, id: number, file: string): void {
  const free = Number.isInteger(id) && id >= 0 && id < MOST_IDS && names[id] === undefined;
  if (!free) throw broken(file, `the special token ${name} needs an id of its own`, `${id}`);
  names[id] = "";
}

/** Every pair of tokens whose joined bytes are a token, in the order of that token's id. */
function allMerges(names: readonly Latin1[], ids: ReadonlyMap<Latin1, number>): Merge[] {
  const merges: Merge[] = [];
  for (const [id, name = ""] of names.entries()) {
    for (let cut = 1; cut < name.length; cut++) {
      const left = ids.get(name.slice(0, cut));
      const right = left === undefined ? undefined : ids.get(name.slice(cut));
      if (left !== undefined && right !== undefined) merges.push([left, right, id]);
    }
  }
  return merges;
}

/**
 * The vocabulary as a `.tiktoken` file, without its special tokens.
 * @throws TOKENIZER when its merges do not follow the order of its ids, as tiktoken's must
 */
export function toTiktoken({ vocabulary }: BpeTokenizer): string {
  if (vocabulary.mergeOrder !== "token-id") requireOrder(vocabulary);
  const lines = vocabulary.tokens.map((token, id) =>
    token.length === 0 ? "" : `${btoa(toLatin1(token))} ${id}\n`,
  );
  return lines.join("");
}

/** One merge for every token of several bytes, in id order: then list and ids say the same. */
function requireOrder({ tokens, merges }: BpeVocabulary): void {
  const made = merges.map(([, , token]) => token);
  const longer = tokens.keys().filter((id) => (tokens[id] as Uint8Array).length > 1);
  const wrong = [...longer].findIndex((id, rank) => made[rank] !== id);
  if (wrong < 0) return;
  throw new NutshellError(
    "TOKENIZER",
    "tokenizer: tiktoken merges in the order of token ids, one way for each token, got a " +
      `vocabulary whose merge ${wrong + 1} makes token ${made[wrong] ?? "none"}. ` +
      "Write it as tokenizer.json.",
  );
}

function toBytes(name: Latin1): Uint8Array {
  return Uint8Array.from(name, (character) => character.charCodeAt(0));
}

function toLatin1(token: Uint8Array): Latin1 {
  return String.fromCharCode(...token);
}

function broken(where: string, rule: string, got: string): NutshellError {
  const shown = JSON.stringify(got.length > 60 ? `${got.slice(0, 60)}…` : got);
  return new NutshellError(
    "TOKENIZER",
    `tokenizer: ${where}: ${rule}, got ${shown}. It is damaged or no vocabulary of tiktoken; ` +
      "copy it again.",
  );
}
