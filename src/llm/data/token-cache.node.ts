/**
 * Tokens kept on disk between starts of one run, so that resuming does not tokenise again. One
 * file per source, named by the SHA-256 of everything the tokens follow from: tokenizer, texts.
 *
 *     32 bytes SHA-256 of the rest | u32 bytes per token | u32 training tokens | tokens, little endian
 *
 * The cache is only ever a shortcut: a file that is missing or damaged is made again, and one that
 * cannot be written is done without.
 */

import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { BpeTokenizer } from "../tokenizer/bpe.ts";
import type { CharacterTokenizer } from "../tokenizer/character.ts";
import { toTokenizerJson } from "../tokenizer/tokenizer-json.ts";
import type { Source } from "./document.ts";
import {
  type TokenArray,
  type TokenProgress,
  type TokenSource,
  tokenizeSources,
} from "./tokens.ts";

const DIGEST_BYTES = 32;
const HEADER_BYTES = DIGEST_BYTES + 8;

/**
 * Like `tokenizeSources`, through a folder that holds nothing else.
 * @param folder made when it is not there; files of other texts or tokenizers in it are removed
 */
export function tokenizeCached(
  sources: readonly Source[],
  tokenizer: BpeTokenizer | CharacterTokenizer,
  folder: string,
  progress?: TokenProgress,
): TokenSource[] {
  const json = toTokenizerJson(tokenizer);
  const names = sources.map((source) => `${contentHash(source, json)}.tokens`);
  const cached = names.map((name) => tryRead(join(folder, name)));
  const missing = sources.filter((_, i) => cached[i] === undefined);
  const made = tokenizeSources(missing, tokenizer, progress);
  if (missing.length > 0) tryPrepare(folder, names);
  return sources.map(({ name, weight }, i) => {
    const tokens = cached[i] ?? (made.shift() as TokenSource);
    if (cached[i] === undefined) tryWrite(join(folder, names[i] as string), tokens);
    return { name, weight, train: tokens.train, validation: tokens.validation };
  });
}

type Tokens = Pick<TokenSource, "train" | "validation">;

function contentHash({ train, validation }: Source, tokenizerJson: string): string {
  const hash = createHash("sha256").update(tokenizerJson);
  for (const part of [train, validation]) {
    hash.update(`\0${part.length}`);
    for (const { text } of part) hash.update(`\0${text.length}\0`).update(text);
  }
  return hash.digest("hex");
}

function tryRead(path: string): Tokens | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return undefined;
  }
  const digest = bytes.subarray(0, DIGEST_BYTES);
  const body = bytes.subarray(DIGEST_BYTES);
  if (bytes.length < HEADER_BYTES || !digest.equals(digestOf(body))) return undefined;
  // A copy of its own starts on an even address, which the typed array needs.
  const copy = Uint8Array.from(body.subarray(8)).buffer;
  const all = body.readUInt32LE(0) === 2 ? new Uint16Array(copy) : new Int32Array(copy);
  const split = body.readUInt32LE(4);
  return { train: all.subarray(0, split), validation: all.subarray(split) };
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

function tryPrepare(folder: string, keep: readonly string[]): void {
  try {
    mkdirSync(folder, { recursive: true });
    const stale = readdirSync(folder).filter((name) => !keep.includes(name));
    for (const name of stale) rmSync(join(folder, name));
  } catch {
    // Without the folder every write below fails, and the run goes on without a cache.
  }
}

function tryWrite(path: string, { train, validation }: Tokens): void {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(train.BYTES_PER_ELEMENT, 0);
  header.writeUInt32LE(train.length, 4);
  const body = Buffer.concat([header, bytesOf(train), bytesOf(validation)]);
  const temporary = `${path}.tmp`;
  try {
    writeFileSync(temporary, Buffer.concat([digestOf(body), body]));
    renameSync(temporary, path);
  } catch {
    if (existsSync(temporary)) rmSync(temporary);
  }
}

function bytesOf(tokens: TokenArray): Uint8Array {
  return new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength);
}
