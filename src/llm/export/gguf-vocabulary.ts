/**
 * A byte-level BPE as GGUF metadata. llama.cpp knows split patterns by name only and runs its own
 * spelling of each; a pattern that it does not know is exported under the nearest name, and the
 * caller is told what then differs.
 */
import { NutshellError } from "../../error.ts";
import type { BpeTokenizer } from "../tokenizer/bpe.ts";
import { toByteAlphabet } from "../tokenizer/byte-alphabet.ts";
import { findLexerRule, type LexerRule } from "../tokenizer/lexer.ts";
import type { ExportModel } from "./export-model.node.ts";
import type { GgufValue } from "./gguf.ts";

interface PreTokenizer {
  readonly name: string;
  /** What llama.cpp cuts otherwise; absent: nothing. */
  readonly differs?: string;
}

const DIFFERS =
  "llama.cpp has no split into pairs of digits: numbers of three or more digits, and 'S 'LL … in " +
  "capitals, become other tokens there. Give it token ids, or train the tokenizer with " +
  "--pattern cl100k";

const NORMAL_FORM =
  "llama.cpp takes text as it is; this tokenizer brings it into Unicode's form NFC first";

/** llama.cpp's name of a rule; its names know no difference between ASCII's case and Unicode's. */
function nameOf(rule: LexerRule): PreTokenizer {
  if (rule.family === "gpt-2") return { name: "gpt-2" };
  const differs = rule.contractions === "lower" || rule.digits === 2 ? { differs: DIFFERS } : {};
  return { name: rule.digits === 1 ? "qwen2" : "dbrx", ...differs };
}

/** llama.cpp's kinds of tokens. */
const [NORMAL, CONTROL, UNUSED] = [1, 3, 5] as const;

export interface GgufVocabulary {
  readonly metadata: Readonly<Record<string, GgufValue>>;
  /** What encodes otherwise in llama.cpp, as one line; absent: nothing. */
  readonly differs: string | undefined;
}

/** @throws UNSUPPORTED for a character vocabulary and for a split pattern that has no name */
export function ggufVocabulary(model: ExportModel): GgufVocabulary {
  const { tokenizer, config, chatTemplate, bosId, endId } = model;
  if (tokenizer.kind !== "bpe")
    throw unsupported(model, "the tokenizer must be a byte-level BPE", "one of single characters");
  const pre = findPreTokenizer(model, tokenizer);
  const { tokens, types } = listTokens(tokenizer, config.vocabSize);
  const merges = tokenizer.vocabulary.merges.map(([left, right]) =>
    [left, right].map((id) => toByteAlphabet(tokenizer.tokenBytes(id))).join(" "),
  );
  const id = (key: string, value: number | undefined): Record<string, GgufValue> =>
    value === undefined ? {} : { [`tokenizer.ggml.${key}`]: { type: "u32", value } };
  return {
    metadata: {
      "tokenizer.ggml.model": { type: "string", value: "gpt2" },
      "tokenizer.ggml.pre": { type: "string", value: pre.name },
      "tokenizer.ggml.tokens": { type: "strings", value: tokens },
      "tokenizer.ggml.token_type": { type: "i32s", value: types },
      "tokenizer.ggml.merges": { type: "strings", value: merges },
      ...id("bos_token_id", bosId),
      ...id("eos_token_id", endId),
      "tokenizer.ggml.add_bos_token": { type: "bool", value: bosId !== undefined },
      "tokenizer.ggml.add_eos_token": { type: "bool", value: false },
      "tokenizer.ggml.add_space_prefix": { type: "bool", value: false },
      ...(chatTemplate === undefined
        ? {}
        : { "tokenizer.chat_template": { type: "string", value: chatTemplate } }),
    },
    differs: tokenizer.vocabulary.normalForm === undefined ? pre.differs : NORMAL_FORM,
  };
}

function findPreTokenizer(model: ExportModel, tokenizer: BpeTokenizer): PreTokenizer {
  const { pattern, wholePieces } = tokenizer.vocabulary;
  const rule = findLexerRule(pattern);
  if (rule === undefined)
    throw unsupported(model, "llama.cpp must know the tokenizer's split pattern", pattern);
  const found = nameOf(rule);
  // The same pattern, with whole pieces looked up before they are merged.
  if (wholePieces && found.name === "dbrx") return { ...found, name: "llama-bpe" };
  return found;
}

function unsupported({ folder }: ExportModel, rule: string, got: string): NutshellError {
  return new NutshellError(
    "UNSUPPORTED",
    `export: ${folder}: for GGUF ${rule}, got ${got}. Export to safetensors or onnx.`,
  );
}

/** One name per row of the model's table, those without a token too. */
function listTokens(
  tokenizer: BpeTokenizer,
  vocabSize: number,
): { tokens: string[]; types: number[] } {
  const names = new Map([...tokenizer.specialTokens].map(([name, id]) => [id, name]));
  const tokens: string[] = [];
  const types: number[] = [];
  for (let id = 0; id < vocabSize; id++) {
    const special = names.get(id);
    const bytes = id < tokenizer.vocabSize ? tokenizer.tokenBytes(id) : new Uint8Array();
    tokens.push(special ?? (bytes.length > 0 ? toByteAlphabet(bytes) : `[UNUSED_${id}]`));
    types.push(special !== undefined ? CONTROL : bytes.length > 0 ? NORMAL : UNUSED);
  }
  return { tokens, types };
}
