/**
 * Writes and reads the `tokenizer.json` of a checkpoint folder in the layout that Hugging Face
 * `tokenizers` loads: a BPE model over the byte alphabet behind a Split + ByteLevel pre-tokenizer,
 * or, for a character vocabulary, a WordLevel model behind a Split of single characters.
 *
 * Reading takes what those two shapes can express, foreign byte-level BPE files included (token
 * ids in any order, merges as pairs or as one string). Anything else is refused by name.
 */

import { NutshellError } from "../../error.ts";
import { type BpeTokenizer, type BpeVocabulary, createBpeTokenizer, type Merge } from "./bpe.ts";
import { toByteAlphabet, tryFromByteAlphabet } from "./byte-alphabet.ts";
import { type CharacterTokenizer, fromCharacters } from "./character.ts";
import { GPT2_PATTERN } from "./pattern.ts";

/** The part of the format that Nutshell reads. */
interface TokenizerJson {
  readonly added_tokens?: readonly { readonly id: number; readonly content: string }[];
  readonly normalizer?: unknown;
  readonly pre_tokenizer?: PreTokenizer | null;
  readonly model: {
    readonly type?: string;
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges?: readonly (string | readonly [string, string])[];
  };
}

interface PreTokenizer {
  readonly type: string;
  readonly pretokenizers?: readonly PreTokenizer[];
  readonly pattern?: { readonly Regex?: string };
  readonly use_regex?: boolean;
  readonly add_prefix_space?: boolean;
}

const BYTE_LEVEL = { type: "ByteLevel", add_prefix_space: false, trim_offsets: false };
const ONE_CHARACTER = "[\\s\\S]";

/** @returns the file's text */
export function toTokenizerJson(tokenizer: BpeTokenizer | CharacterTokenizer): string {
  const body = tokenizer.kind === "bpe" ? bpeJson(tokenizer.vocabulary) : characterJson(tokenizer);
  const added = Array.from(tokenizer.specialTokens, ([content, id]) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const head = { version: "1.0", truncation: null, padding: null, added_tokens: added };
  const rest = { normalizer: null, post_processor: null, ...body };
  return `${JSON.stringify({ ...head, ...rest }, null, 1)}\n`;
}

function bpeJson(vocabulary: BpeVocabulary): object {
  const special = new Set(vocabulary.specialTokens.values());
  const names = vocabulary.tokens.map(toByteAlphabet);
  const vocab = names.flatMap((name, id) => (special.has(id) ? [] : [[name, id]]));
  const split = splitStep(vocabulary.pattern);
  return {
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [split, { ...BYTE_LEVEL, use_regex: false }],
    },
    decoder: { ...BYTE_LEVEL, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocab),
      merges: vocabulary.merges.map(([left, right]) => [names[left], names[right]]),
    },
  };
}

function characterJson(tokenizer: CharacterTokenizer): object {
  const vocab = Object.fromEntries(tokenizer.characters.map((character, id) => [character, id]));
  return {
    pre_tokenizer: splitStep(ONE_CHARACTER),
    decoder: { type: "Fuse" },
    model: { type: "WordLevel", vocab, unk_token: "" },
  };
}

function splitStep(regex: string): object {
  return { type: "Split", pattern: { Regex: regex }, behavior: "Isolated", invert: false };
}

/**
 * @param text the file's text  @param file its name, for error messages
 * @throws TOKENIZER when the text is not such a file or asks for something Nutshell cannot do
 */
export function fromTokenizerJson(
  text: string,
  file = "tokenizer.json",
): BpeTokenizer | CharacterTokenizer {
  const json = parseJson(text, file);
  if (json.model.type === "WordLevel") return readCharacters(json, file);
  if ((json.model.type ?? "BPE") === "BPE") return readBpe(json, file);
  throw refuse(file, "the model must be BPE or WordLevel", json.model.type);
}

function parseJson(text: string, file: string): TokenizerJson {
  let json: Partial<TokenizerJson> | null;
  try {
    json = JSON.parse(text) as Partial<TokenizerJson> | null;
  } catch (cause) {
    throw new NutshellError(
      "TOKENIZER",
      `tokenizer: ${file} must be JSON, got ${(cause as Error).message}. ` +
        "It is damaged; copy it again from where the model was saved.",
      { cause },
    );
  }
  if (typeof json?.model?.vocab === "object") return json as TokenizerJson;
  throw refuse(file, "model.vocab must map tokens to ids", typeof json?.model?.vocab);
}

function readCharacters(json: TokenizerJson, file: string): CharacterTokenizer {
  const names = namesById(json, file);
  const long = names.find((name) => [...name].length !== 1);
  if (long === undefined) return fromCharacters(names);
  throw refuse(file, "every token of a WordLevel model must be one character", long);
}

function readBpe(json: TokenizerJson, file: string): BpeTokenizer {
  if (json.normalizer) throw refuse(file, "a byte-level BPE has no normalizer", json.normalizer);
  const specialTokens = new Map((json.added_tokens ?? []).map(({ id, content }) => [content, id]));
  const special = new Set(specialTokens.values());
  const tokens = namesById(json, file).map((name, id) => {
    const bytes = special.has(id) ? new Uint8Array() : tryFromByteAlphabet(name);
    if (bytes === undefined) throw refuse(file, "tokens are written in the byte alphabet", name);
    return bytes;
  });
  return createBpeTokenizer({
    tokens,
    specialTokens,
    byteIds: readByteIds(json, file),
    merges: readMerges(json, file),
    pattern: readPattern(json.pre_tokenizer, file),
  });
}

/** Token texts in id order. @throws TOKENIZER unless the ids are 0 … n-1, each used once */
function namesById(json: TokenizerJson, file: string): string[] {
  const entries = new Map(Object.entries(json.model.vocab).map(([name, id]) => [id, name]));
  for (const { id, content } of json.added_tokens ?? []) entries.set(id, content);
  return Array.from({ length: entries.size }, (_, id) => {
    const name = entries.get(id);
    if (name === undefined)
      throw refuse(file, `ids must run from 0 to ${entries.size - 1}`, `none with id ${id}`);
    return name;
  });
}

function readByteIds(json: TokenizerJson, file: string): number[] {
  return Array.from({ length: 256 }, (_, byte) => {
    const id = json.model.vocab[toByteAlphabet(Uint8Array.of(byte))];
    if (id === undefined) throw refuse(file, "every byte must have a token", `none for ${byte}`);
    return id;
  });
}

function readMerges(json: TokenizerJson, file: string): Merge[] {
  return (json.model.merges ?? []).map((merge) => {
    const [left = "", right = ""] = typeof merge === "string" ? merge.split(" ") : merge;
    const ids = [left, right, left + right].map((name) => json.model.vocab[name]);
    if (ids.includes(undefined)) throw refuse(file, "merges must name tokens", merge);
    return ids as unknown as Merge;
  });
}

function readPattern(pre: PreTokenizer | null | undefined, file: string): string {
  const steps = pre?.type === "Sequence" ? (pre.pretokenizers ?? []) : pre ? [pre] : [];
  const split = steps.find((step) => step.type === "Split")?.pattern?.Regex;
  const level = steps.find((step) => step.type === "ByteLevel");
  const plain = steps.every((step) => step.type === "Split" || step === level);
  const cuts = (split === undefined ? 0 : 1) + (level?.use_regex === false ? 0 : 1);
  if (level !== undefined && plain && cuts === 1 && level.add_prefix_space !== true) {
    return split ?? GPT2_PATTERN;
  }
  throw refuse(file, "the pre-tokenizer must be ByteLevel, or one Split before it", pre);
}

function refuse(file: string, rule: string, got: unknown): NutshellError {
  const shown = (JSON.stringify(got) ?? "nothing").slice(0, 120);
  return new NutshellError(
    "TOKENIZER",
    `tokenizer: ${file}: ${rule}, got ${shown}. Use a byte-level BPE or a character tokenizer.`,
  );
}
