/**
 * What every tokenizer offers, whatever made it: a byte-level BPE trained here, one read from a
 * `tokenizer.json`, or a character vocabulary. Token ids are integers in [0, vocabSize).
 *
 * Special tokens never come out of plain text: `encode` treats "<|bos|>" in a document as seven
 * ordinary characters unless the caller asks for `specials`.
 */

import { NutshellError } from "../../error.ts";

export interface SpecialOption {
  /** Recognise (encode) or write out (decode) special tokens; default false. */
  readonly specials?: boolean;
}

export interface Tokenizer {
  /** Number of ids, special tokens included. */
  readonly vocabSize: number;
  /** The token that starts every document; absent in a plain character vocabulary. */
  readonly bos: number | undefined;
  /** Special tokens and their ids, in id order. */
  readonly specialTokens: ReadonlyMap<string, number>;
  encode(text: string, options?: SpecialOption): number[];
  /** Text of `ids`; bytes that are not UTF-8 become U+FFFD, special tokens vanish by default. */
  decode(ids: Iterable<number>, options?: SpecialOption): string;
  /** The exact bytes of `ids`; special tokens have none. */
  decodeBytes(ids: Iterable<number>): Uint8Array;
  /** Bytes of one token, empty for a special token. @throws TOKENIZER when `id` is out of range */
  tokenBytes(id: number): Uint8Array;
  /** Id of a special token. @throws TOKENIZER when the vocabulary has no such token */
  special(name: string): number;
}

/** The special token that starts every document; the first after the merges. */
export const BOS = "<|bos|>";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** The parts of a tokenizer that do not depend on how text is cut into tokens. */
export interface Vocabulary {
  /** Bytes per id; empty for special tokens. */
  readonly tokens: readonly Uint8Array[];
  readonly specialTokens: ReadonlyMap<string, number>;
}

/** Builds a tokenizer from its vocabulary and the function that encodes text without specials. */
export function createTokenizer(
  vocabulary: Vocabulary,
  encodeText: (text: string, ids: number[]) => void,
): Tokenizer {
  const { tokens, specialTokens } = vocabulary;
  const names = new Map([...specialTokens].map(([name, id]) => [id, name]));
  const splitter = specialSplitter(specialTokens);

  function encode(text: string, options?: SpecialOption): number[] {
    const ids: number[] = [];
    if (!options?.specials || splitter === undefined) encodeText(text, ids);
    else {
      for (const part of text.split(splitter)) {
        const id = specialTokens.get(part);
        if (id === undefined) encodeText(part, ids);
        else ids.push(id);
      }
    }
    return ids;
  }

  function tokenBytes(id: number): Uint8Array {
    const bytes = tokens[id];
    if (bytes === undefined) throw unknownId(id, tokens.length);
    return bytes;
  }

  function decodeBytes(ids: Iterable<number>): Uint8Array {
    return concat(Array.from(ids, tokenBytes));
  }

  function decode(ids: Iterable<number>, options?: SpecialOption): string {
    if (!options?.specials) return utf8.decode(decodeBytes(ids));
    const encoder = new TextEncoder();
    const bytesOf = (id: number) => encoder.encode(names.get(id) ?? "");
    return utf8.decode(
      concat(Array.from(ids, (id) => (names.has(id) ? bytesOf(id) : tokenBytes(id)))),
    );
  }

  function special(name: string): number {
    const id = specialTokens.get(name);
    if (id !== undefined) return id;
    const known = [...specialTokens.keys()].join(" ") || "none";
    throw new NutshellError(
      "TOKENIZER",
      `tokenizer: ${name} must be a special token, got a vocabulary with ${known}. ` +
        "Train the tokenizer with it, or use another one.",
    );
  }

  const bos = specialTokens.get(BOS);
  return {
    vocabSize: tokens.length,
    bos,
    specialTokens,
    encode,
    decode,
    decodeBytes,
    tokenBytes,
    special,
  };
}

/** Bytes per token id, the denominator of bits per byte; 0 for special tokens. */
export function tokenByteCounts(tokenizer: Tokenizer): Int32Array {
  return Int32Array.from(
    { length: tokenizer.vocabSize },
    (_, id) => tokenizer.tokenBytes(id).length,
  );
}

function specialSplitter(specialTokens: ReadonlyMap<string, number>): RegExp | undefined {
  if (specialTokens.size === 0) return undefined;
  const longestFirst = [...specialTokens.keys()].sort((a, b) => b.length - a.length);
  return new RegExp(`(${longestFirst.map(escapePattern).join("|")})`, "u");
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function unknownId(id: number, vocabSize: number): NutshellError {
  return new NutshellError(
    "TOKENIZER",
    `tokenizer: a token id lies in [0, ${vocabSize}), got ${id}. ` +
      "The ids come from another tokenizer; use the one stored beside the model.",
  );
}
