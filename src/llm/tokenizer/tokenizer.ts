/**
 * What every tokenizer offers, whatever made it: a byte-level BPE trained here, one read from a
 * `tokenizer.json`, or a character vocabulary. Token ids are integers in [0, vocabSize).
 *
 * Special tokens never come out of plain text: `encode` treats "<|bos|>" in a document as seven
 * ordinary characters unless the caller asks for `specials`.
 */

import { NutshellError } from "../../error.ts";
import { IdBuffer } from "./id-buffer.ts";
import { joinTokens, packTokens, type TokenBytes, unknownId } from "./token-bytes.ts";

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
  /**
   * Ids of a text that is at hand as UTF-8, never special ones. Bytes in are bytes out:
   * `decodeBytes` gives back even what is not UTF-8, which is cut like U+FFFD, byte by byte.
   * A character vocabulary has no other characters than its own and throws TOKENIZER.
   */
  encodeUtf8(utf8: Uint8Array): Uint32Array;
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

/** Cuts text without special tokens into ids, which it appends to `ids`. */
export interface Encoder {
  encodeText(text: string, ids: IdBuffer): void;
  encodeUtf8(bytes: Uint8Array, ids: IdBuffer): void;
}

/** Builds a tokenizer from its vocabulary and its encoder. */
export function createTokenizer(vocabulary: Vocabulary, encoder: Encoder): Tokenizer {
  const { tokens, specialTokens } = vocabulary;
  const splitter = specialSplitter(specialTokens);
  const plain = packTokens(tokens);
  const ids = new IdBuffer();
  let named: TokenBytes | undefined;

  function encode(text: string, options?: SpecialOption): number[] {
    ids.clear();
    if (!options?.specials || splitter === undefined) encoder.encodeText(text, ids);
    else {
      for (const part of text.split(splitter)) {
        const id = specialTokens.get(part);
        if (id === undefined) encoder.encodeText(part, ids);
        else ids.push(id);
      }
    }
    return ids.toArray();
  }

  function encodeUtf8(bytes: Uint8Array): Uint32Array {
    ids.clear();
    encoder.encodeUtf8(bytes, ids);
    return ids.toUint32();
  }

  function tokenBytes(id: number): Uint8Array {
    const bytes = tokens[id];
    if (bytes === undefined) throw unknownId(id, tokens.length);
    return bytes;
  }

  function decodeBytes(ids: Iterable<number>): Uint8Array {
    return joinTokens(plain, ids);
  }

  function decode(ids: Iterable<number>, options?: SpecialOption): string {
    if (options?.specials) named ??= packTokens(withNames(vocabulary));
    return utf8.decode(joinTokens(options?.specials && named ? named : plain, ids));
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
    encodeUtf8,
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

/** The tokens with special ones spelled out. */
function withNames({ tokens, specialTokens }: Vocabulary): Uint8Array[] {
  const encoder = new TextEncoder();
  const named = [...tokens];
  for (const [name, id] of specialTokens) named[id] = encoder.encode(name);
  return named;
}
