/**
 * A character vocabulary: one token per distinct character of a text, in code point order, and
 * nothing else. It exists for nanoGPT's shakespeare_char setting, whose 65 tokens it reproduces.
 */

import { NutshellError } from "../../error.ts";
import type { IdBuffer } from "./id-buffer.ts";
import { createTokenizer, type Encoder, type Tokenizer } from "./tokenizer.ts";

export interface CharacterTokenizer extends Tokenizer {
  readonly kind: "character";
  /** The character of each id. */
  readonly characters: readonly string[];
}

/** @throws TOKENIZER when the text is empty; `encode` throws for a character not in `text` */
export function characterTokenizer(text: string): CharacterTokenizer {
  const characters = [...new Set(text.toWellFormed())];
  if (characters.length === 0) {
    throw new NutshellError(
      "TOKENIZER",
      "tokenizer: a character vocabulary needs at least one character, got empty text. " +
        "Pass the training text.",
    );
  }
  characters.sort((a, b) => (a.codePointAt(0) as number) - (b.codePointAt(0) as number));
  return fromCharacters(characters);
}

/** The tokenizer whose id i stands for `characters[i]`. */
export function fromCharacters(characters: readonly string[]): CharacterTokenizer {
  const utf8 = new TextEncoder();
  const vocabulary = {
    tokens: characters.map((character) => utf8.encode(character)),
    specialTokens: new Map<string, number>(),
  };
  const tokenizer = createTokenizer(vocabulary, createCharacterEncoder(characters));
  return { kind: "character", characters, ...tokenizer };
}

/** Bytes that are not UTF-8 are read as U+FFFD. */
export function createCharacterEncoder(characters: readonly string[]): Encoder {
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  const known = new Map(characters.map((character, id) => [character, id]));
  function encodeText(text: string, ids: IdBuffer): void {
    for (const character of text.toWellFormed()) {
      const id = known.get(character);
      if (id === undefined) throw unknownCharacter(character, characters.length);
      ids.push(id);
    }
  }
  return { encodeText, encodeUtf8: (bytes, ids) => encodeText(utf8.decode(bytes), ids) };
}

function unknownCharacter(character: string, size: number): NutshellError {
  const code = (character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, "0");
  return new NutshellError(
    "TOKENIZER",
    `tokenizer: a character vocabulary of ${size} cannot write ${JSON.stringify(character)} ` +
      `(U+${code}). Use only characters of the training text, or a byte-level tokenizer.`,
  );
}
