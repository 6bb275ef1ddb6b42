/**
 * The vocabulary of a GGUF file as a tokenizer of ours: bytes are read from its metadata, texts are
 * cut by llama.cpp. Names of control tokens in a text are text, as everywhere here.
 * @see ggml/docs/gguf.md, llama.cpp's `llama_token_type`
 */
import { NutshellError } from "../../error.ts";
import { tryFromByteAlphabet } from "../tokenizer/byte-alphabet.ts";
import { createTokenizer, type Tokenizer } from "../tokenizer/tokenizer.ts";
import { CALL_TAGS } from "./json-calls.ts";
import type { LlamaModel } from "./load-llama.node.ts";

const [NORMAL, CONTROL, USER_DEFINED, UNUSED, BYTE] = [1, 3, 4, 5, 6] as const;

const utf8 = new TextEncoder();

/** How a name of an ordinary token spells its bytes, by the kind of vocabulary. */
const spellings: Readonly<Record<string, (name: string) => Uint8Array>> = {
  gpt2: (name) => tryFromByteAlphabet(name) ?? utf8.encode(name),
  llama: (name) => utf8.encode(name.replaceAll("▁", " ")),
};

/** @throws UNSUPPORTED for a kind of vocabulary whose bytes are not known here */
export function createGgufTokenizer(path: string, model: LlamaModel): Tokenizer {
  const {
    model: kind = "none",
    tokens: names = [],
    token_type: types = [],
  } = model.fileInfo.metadata.tokenizer?.ggml ?? {};
  const spell = Object.hasOwn(spellings, kind) ? spellings[kind] : undefined;
  if (spell === undefined) throw unknownKind(path, kind);
  const isMark = (name: string, id: number): boolean =>
    types[id] === CONTROL || CALL_TAGS.some((tag) => tag === name);
  // Rows at the end of the table that only make its length round are no tokens.
  const vocabSize = 1 + names.findLastIndex((_, id) => types[id] !== UNUSED);
  const tokens = names
    .slice(0, vocabSize)
    .map((name, id) =>
      isMark(name, id) ? new Uint8Array() : bytesOf(name, types[id] ?? NORMAL, spell),
    );
  const marks = names.flatMap((name, id) => (isMark(name, id) ? [[name, id] as const] : []));
  const cut = (text: string): number[] => model.tokenize(text, false);
  const tokenizer = createTokenizer(
    { tokens, specialTokens: new Map(marks) },
    {
      encodeText: (text, ids) => cut(text).forEach((id) => void ids.push(id)),
      encodeUtf8: (bytes, ids) =>
        cut(new TextDecoder().decode(bytes)).forEach((id) => void ids.push(id)),
    },
  );
  const { bos, shouldPrependBosToken } = model.tokens;
  return { ...tokenizer, bos: shouldPrependBosToken && bos !== null ? bos : undefined };
}

function bytesOf(name: string, type: number, spell: (name: string) => Uint8Array): Uint8Array {
  if (type === NORMAL) return spell(name);
  if (type === USER_DEFINED) return utf8.encode(name);
  const [, hex] = type === BYTE ? (/^<0x([0-9A-F]{2})>$/.exec(name) ?? []) : [];
  return hex === undefined ? new Uint8Array() : Uint8Array.of(Number.parseInt(hex, 16));
}

function unknownKind(path: string, got: string): NutshellError {
  const known = Object.keys(spellings).join(" or ");
  return new NutshellError(
    "UNSUPPORTED",
    `engine: ${path} must have a vocabulary of the kind ${known}, got ${got}.`,
  );
}
