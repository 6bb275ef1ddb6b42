/**
 * Documents → tokens: each source becomes two flat arrays, training and validation, in which every
 * document starts with bos (where the tokenizer has one). 16-bit where the ids fit.
 */

import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Document, Source } from "./document.ts";

export type TokenArray = Uint16Array | Int32Array;

export interface TokenSource {
  readonly name: string;
  readonly weight: number;
  readonly train: TokenArray;
  readonly validation: TokenArray;
}

/** Told after each document: characters done of characters in all. */
export type TokenProgress = (done: number, total: number) => void;

/** Tokenises every source. */
export function tokenizeSources(
  sources: readonly Source[],
  tokenizer: Tokenizer,
  progress: TokenProgress = () => {},
): TokenSource[] {
  const parts = sources.flatMap(({ train, validation }) => [train, validation]);
  const total = parts.reduce((sum, part) => sum + characters(part), 0);
  let done = 0;
  const tokenize = (documents: readonly Document[]) => {
    const before = done;
    const tokens = tokenizeDocuments(documents, tokenizer, (read) =>
      progress(before + read, total),
    );
    done += characters(documents);
    return tokens;
  };
  return sources.map(({ name, weight, train, validation }) => {
    return { name, weight, train: tokenize(train), validation: tokenize(validation) };
  });
}

/** @param progress told the characters read so far */
export function tokenizeDocuments(
  documents: readonly Document[],
  tokenizer: Tokenizer,
  progress: (read: number) => void = () => {},
): TokenArray {
  const chunks: TokenArray[] = [];
  let read = 0;
  for (const { text } of documents) {
    const ids = tokenizer.encode(text);
    if (tokenizer.bos !== undefined) ids.unshift(tokenizer.bos);
    chunks.push(toTokenArray(ids, tokenizer.vocabSize));
    read += text.length;
    progress(read);
  }
  return concatTokens(chunks, tokenizer.vocabSize);
}

function toTokenArray(ids: readonly number[], vocabSize: number): TokenArray {
  return vocabSize <= 65536 ? Uint16Array.from(ids) : Int32Array.from(ids);
}

function concatTokens(chunks: readonly TokenArray[], vocabSize: number): TokenArray {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const tokens = vocabSize <= 65536 ? new Uint16Array(length) : new Int32Array(length);
  let at = 0;
  for (const chunk of chunks) {
    tokens.set(chunk, at);
    at += chunk.length;
  }
  return tokens;
}

function characters(documents: readonly Document[]): number {
  return documents.reduce((sum, { text }) => sum + text.length, 0);
}
