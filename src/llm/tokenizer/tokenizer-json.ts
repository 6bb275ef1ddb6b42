/**
 * Writes and reads the `tokenizer.json` of a checkpoint folder in the layout that Hugging Face
 * `tokenizers` loads: a BPE model over the byte alphabet behind a Split + ByteLevel pre-tokenizer
 * (`tokenizer-json-bpe.ts`), or, for a character vocabulary, a WordLevel model behind a Split of
 * single characters. Anything else is refused by name.
 */

import type { BpeTokenizer } from "./bpe.ts";
import { type CharacterTokenizer, fromCharacters } from "./character.ts";
import { bpeFromJson, bpeToJson } from "./tokenizer-json-bpe.ts";
import {
  namesById,
  parseTokenizerJson,
  refuse,
  splitStep,
  type TokenizerJson,
} from "./tokenizer-json-file.ts";

const ONE_CHARACTER = "[\\s\\S]";

/** @returns the file's text */
export function toTokenizerJson(tokenizer: BpeTokenizer | CharacterTokenizer): string {
  const body =
    tokenizer.kind === "bpe" ? bpeToJson(tokenizer.vocabulary) : charactersToJson(tokenizer);
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

/**
 * @param text the file's text  @param file its name, for error messages
 * @throws TOKENIZER when the text is not such a file or asks for something Nutshell cannot do
 */
export function fromTokenizerJson(
  text: string,
  file = "tokenizer.json",
): BpeTokenizer | CharacterTokenizer {
  const json = parseTokenizerJson(text, file);
  if (json.model.type === "WordLevel") return charactersFromJson(json, file);
  if ((json.model.type ?? "BPE") === "BPE") return bpeFromJson(json, file);
  throw refuse(file, "the model must be BPE or WordLevel", json.model.type);
}

function charactersToJson(tokenizer: CharacterTokenizer): object {
  const vocab = Object.fromEntries(tokenizer.characters.map((character, id) => [character, id]));
  return {
    pre_tokenizer: splitStep(ONE_CHARACTER),
    decoder: { type: "Fuse" },
    model: { type: "WordLevel", vocab, unk_token: "" },
  };
}

function charactersFromJson(json: TokenizerJson, file: string): CharacterTokenizer {
  const names = namesById(json, file).map((name = "") => name);
  const long = names.find((name) => [...name].length !== 1);
  if (long === undefined) return fromCharacters(names);
  throw refuse(file, "every id of a WordLevel model must be one character", long);
}
