/**
 * A byte-level BPE as the parts of a `tokenizer.json`, both ways: model, pre-tokenizer, decoder.
 * Tokens are written in the byte alphabet; merges are listed in the order in which they apply.
 *
 * Reading takes files of other tools: ids in any order and with holes, merges as pairs or as one
 * string, the split as a Split step or as ByteLevel's own, `ignore_merges`. What would make the
 * ids differ and cannot be done (normalizers but NFC, prefixes, stripping tokens) is refused by name.
 */

import { type BpeTokenizer, type BpeVocabulary, createBpeTokenizer, type Merge } from "./bpe.ts";
import { toByteAlphabet, tryFromByteAlphabet } from "./byte-alphabet.ts";
import { GPT2_PATTERN } from "./pattern.ts";
import { fromForeignPattern } from "./pattern-spellings.ts";
import {
  namesById,
  type PreTokenizer,
  refuse,
  splitStep,
  type TokenizerJson,
} from "./tokenizer-json-file.ts";

const BYTE_LEVEL = { type: "ByteLevel", add_prefix_space: false, trim_offsets: false };

/** The parts that differ between kinds of tokenizers. */
export function bpeToJson(vocabulary: BpeVocabulary): object {
  const names = vocabulary.tokens.map(toByteAlphabet);
  const vocab = names.flatMap((name, id) => (name === "" ? [] : [[name, id]]));
  const split = splitStep(vocabulary.pattern);
  const { normalForm } = vocabulary;
  return {
    normalizer: normalForm === undefined ? null : { type: normalForm },
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
      ignore_merges: vocabulary.wholePieces ?? false,
      vocab: Object.fromEntries(vocab),
      merges: listedMerges(vocabulary).map(([left, right]) => [names[left], names[right]]),
    },
  };
}

/** Merges in the order in which they apply. */
function listedMerges({ merges, mergeOrder }: BpeVocabulary): readonly Merge[] {
  if (mergeOrder !== "token-id") return merges;
  return [...merges].sort(([, , a], [, , b]) => a - b);
}

/** @throws TOKENIZER for what is damaged or not done */
export function bpeFromJson(json: TokenizerJson, file: string): BpeTokenizer {
  requirePlain(json, file);
  const added = [...(json.added_tokens ?? [])].sort((a, b) => a.id - b.id);
  const specialTokens = new Map(added.map(({ id, content }) => [content, id]));
  const special = new Set(specialTokens.values());
  const tokens = namesById(json, file).map((name, id) => {
    const bytes = name === undefined || special.has(id) ? EMPTY : tryFromByteAlphabet(name);
    if (bytes === undefined) throw refuse(file, "tokens are written in the byte alphabet", name);
    return bytes;
  });
  const ids = new Map(Object.entries(json.model.vocab));
  return createBpeTokenizer({
    tokens,
    specialTokens,
    byteIds: readByteIds(ids, file),
    merges: readMerges(json, ids, file),
    ...(json.model.ignore_merges === true ? { wholePieces: true } : {}),
    ...(json.normalizer ? { normalForm: "NFC" } : {}),
    pattern: readPattern(json.pre_tokenizer, file),
  });
}

const EMPTY = new Uint8Array();

function requirePlain({ normalizer, model, added_tokens }: TokenizerJson, file: string): void {
  if (normalizer && normalizer.type !== "NFC")
    throw refuse(file, "a byte-level BPE has no normalizer but NFC", normalizer);
  for (const key of ["dropout", "continuing_subword_prefix", "end_of_word_suffix"] as const)
    if (model[key]) throw refuse(file, `a byte-level BPE has no ${key}`, model[key]);
  const strips = added_tokens?.find((token) => token.lstrip || token.rstrip || token.single_word);
  if (strips) throw refuse(file, "added tokens take no text around them", strips);
}

function readByteIds(ids: ReadonlyMap<string, number>, file: string): number[] {
  return Array.from({ length: 256 }, (_, byte) => {
    const id = ids.get(toByteAlphabet(Uint8Array.of(byte)));
    if (id === undefined) throw refuse(file, "every byte must have a token", `none for ${byte}`);
    return id;
  });
}

function readMerges(json: TokenizerJson, ids: ReadonlyMap<string, number>, file: string): Merge[] {
  return (json.model.merges ?? []).map((merge) => {
    const [left = "", right = ""] = typeof merge === "string" ? merge.split(" ") : merge;
    const found = [left, right, left + right].map((name) => ids.get(name));
    if (found.includes(undefined)) throw refuse(file, "merges must name tokens", merge);
    return found as unknown as Merge;
  });
}

/** ByteLevel with its own split, or one Split step before a ByteLevel that does not cut. */
function readPattern(pre: PreTokenizer | null | undefined, file: string): string {
  const steps = pre?.type === "Sequence" ? (pre.pretokenizers ?? []) : pre ? [pre] : [];
  const level = steps.at(-1);
  const plain = level?.type === "ByteLevel" && level.add_prefix_space !== true;
  const cuts = level?.use_regex !== false;
  const [split] = steps;
  if (plain && steps.length === 1 && cuts) return GPT2_PATTERN;
  const regex = split?.pattern?.Regex;
  const keeps = split?.type === "Split" && keepsAll(split) && regex !== undefined;
  if (plain && steps.length === 2 && !cuts && keeps) return fromForeignPattern(regex, file);
  throw refuse(file, "the pre-tokenizer must be ByteLevel, or one Split before it", pre);
}

/** Matches stay whole: on their own, or as all that is kept of patterns that match everything. */
function keepsAll({ behavior = "Isolated", invert = false }: PreTokenizer): boolean {
  return behavior === (invert ? "Removed" : "Isolated");
}
