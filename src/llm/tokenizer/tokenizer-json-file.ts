/**
 * The shape of a Hugging Face `tokenizer.json`, as far as Nutshell reads it, and the two ways in
 * which such a file is refused: it is damaged, or it asks for something that is not done here.
 */

import { NutshellError } from "../../error.ts";

export interface TokenizerJson {
  readonly added_tokens?: readonly AddedToken[] | null;
  readonly normalizer?: { readonly type?: string } | null;
  readonly pre_tokenizer?: PreTokenizer | null;
  readonly post_processor?: PostProcessor | null;
  readonly model: {
    readonly type?: string;
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges?: readonly (string | readonly [string, string])[];
    readonly ignore_merges?: boolean;
    readonly dropout?: number | null;
    readonly continuing_subword_prefix?: string | null;
    readonly end_of_word_suffix?: string | null;
  };
}

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
  readonly single_word?: boolean;
  readonly special?: boolean;
}

export interface PostProcessor {
  readonly type: string;
  readonly processors?: readonly PostProcessor[];
  /** Of TemplateProcessing: what one text becomes. */
  readonly single?: readonly { readonly SpecialToken?: { readonly id: string } }[];
}

export interface PreTokenizer {
  readonly type: string;
  readonly pretokenizers?: readonly PreTokenizer[];
  readonly pattern?: { readonly Regex?: string };
  readonly behavior?: string;
  readonly invert?: boolean;
  readonly use_regex?: boolean;
  readonly add_prefix_space?: boolean;
}

/** A step that cuts text at the matches of an expression; they and what lies between are pieces. */
export function splitStep(regex: string): object {
  return { type: "Split", pattern: { Regex: regex }, behavior: "Isolated", invert: false };
}

/** @throws TOKENIZER unless the text is JSON with a vocabulary */
export function parseTokenizerJson(text: string, file: string): TokenizerJson {
  let json: Partial<TokenizerJson> | null;
  try {
    json = JSON.parse(text) as Partial<TokenizerJson> | null;
  } catch (cause) {
    throw new NutshellError(
      "TOKENIZER",
      `tokenizer: ${file} must be JSON, got ${oneLine((cause as Error).message)}. ` +
        "It is damaged; copy it again from where the model was saved.",
      { cause },
    );
  }
  const vocab: unknown = json?.model?.vocab;
  if (typeof vocab === "object" && vocab !== null) return json as TokenizerJson;
  throw refuse(file, "model.vocab must map tokens to ids", typeof vocab);
}

/** JSON.parse quotes the text around a fault, line breaks and all. */
function oneLine(message: string): string {
  return message.replace(/\s+/g, " ").slice(0, 160);
}

/** Highest id and one; ids that no token has are allowed, as cl100k_base has some. */
const MOST_IDS = 1 << 24;

/**
 * Token texts by id, `undefined` where no token has the id.
 * @throws TOKENIZER unless ids are integers, each with one text
 */
export function namesById(json: TokenizerJson, file: string): (string | undefined)[] {
  const names: (string | undefined)[] = [];
  const added = (json.added_tokens ?? []).map(({ content, id }): [string, number] => [content, id]);
  for (const [name, id] of [...Object.entries(json.model.vocab), ...added]) {
    if (!Number.isInteger(id) || id < 0 || id >= MOST_IDS)
      throw refuse(file, `ids are integers below ${MOST_IDS}`, `${JSON.stringify(id)} for ${name}`);
    if (names[id] !== undefined && names[id] !== name)
      throw refuse(file, `id ${id} has one token`, `${names[id]} and ${name}`);
    names[id] = name;
  }
  return Array.from(names);
}

export function refuse(file: string, rule: string, got: unknown): NutshellError {
  const shown = (JSON.stringify(got) ?? "nothing").slice(0, 120);
  return new NutshellError(
    "TOKENIZER",
    `tokenizer: ${file}: ${rule}, got ${shown}. Use a byte-level BPE or a character tokenizer.`,
  );
}
