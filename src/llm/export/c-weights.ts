/**
 * `weights.bin`, what `model.c` reads: sizes, the tokenizer, Unicode's character classes as ranges,
 * then the tensors in the order of the forward pass. The layout is told at the head of `model.c`.
 */
import { BLOCK } from "../../compute/quants.ts";
import { sizeOf } from "../../compute/shape.ts";
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "../model/config.ts";
import { type ParameterSpec, parameterSpecs } from "../model/parameters.ts";
import type { BpeTokenizer } from "../tokenizer/bpe.ts";
import { findLexerRule, type LexerRule } from "../tokenizer/lexer.ts";
import type { ExportModel } from "./export-model.node.ts";
import { formatBytes, numberFormats } from "./number-format.ts";

/** What `model.c` multiplies, by its numbers. */
const FORMATS = { f32: 0, bf16: 1, q8_0: 2 } as const;

export type CFormat = keyof typeof FORMATS;

const VERSION = 1;
const CONTRACTIONS = { lower: 0, ascii: 1, folded: 2 } as const;

export interface CWeights {
  /** Of the whole file. */
  readonly bytes: number;
  chunks(): AsyncGenerator<Uint8Array>;
}

/** @throws UNSUPPORTED for a tokenizer or a width that `model.c` does not know */
export function cWeights(model: ExportModel, format: CFormat): CWeights {
  const { config } = model;
  const head = encodeHead(model, format);
  const specs = parameterSpecs(config);
  if (format === "q8_0") checkRows(model, specs);
  const formatOf = ({ role }: ParameterSpec): CFormat => (role === "gain" ? "f32" : format);
  const sizes = specs.map((spec) => padded(formatBytes(formatOf(spec), sizeOf(spec.shape))));
  return {
    bytes: sizes.reduce((sum, bytes) => sum + bytes, head.length),
    async *chunks() {
      yield head;
      for (const spec of specs) {
        const values = await model.read(spec.name);
        yield* withPadding(numberFormats[formatOf(spec)].encode(values));
      }
    },
  };
}

const padded = (bytes: number): number => Math.ceil(bytes / 4) * 4;

function* withPadding(bytes: Uint8Array): Generator<Uint8Array> {
  yield bytes;
  const rest = padded(bytes.length) - bytes.length;
  if (rest > 0) yield new Uint8Array(rest);
}

function checkRows({ folder }: ExportModel, specs: readonly ParameterSpec[]): void {
  const odd = specs.find(({ role, shape }) => role !== "gain" && (shape[1] as number) % BLOCK > 0);
  if (odd === undefined) return;
  throw new NutshellError(
    "UNSUPPORTED",
    `export: ${folder}: rows of q8_0 must be a multiple of ${BLOCK} long, got ${odd.name} ` +
      `[${odd.shape}]. Export with --type bf16.`,
  );
}

function encodeHead(model: ExportModel, format: CFormat): Uint8Array {
  const { folder, tokenizer } = model;
  const rule = tokenizer.kind === "bpe" ? findLexerRule(tokenizer.vocabulary.pattern) : undefined;
  if (tokenizer.kind !== "bpe" || rule === undefined)
    throw new NutshellError(
      "UNSUPPORTED",
      `export: ${folder}: for c the tokenizer must be a byte-level BPE with a well-known split ` +
        `pattern, got ${tokenizer.kind === "bpe" ? tokenizer.vocabulary.pattern : "single characters"}. ` +
        "Export to safetensors or onnx.",
    );
  const classes = [/\p{L}/u, /\p{N}/u, /\p{White_Space}/u].map(codePointRanges);
  const tokens = tokenTexts(tokenizer);
  const parts = [
    new TextEncoder().encode("NUTC"),
    Int32Array.of(VERSION),
    ...header(model, tokenizer, rule, format, classes, tokens),
    ...classes,
    Int32Array.from(tokenizer.vocabulary.byteIds),
    Int32Array.from(tokenizer.vocabulary.merges.flat()),
    Int32Array.from(tokens, ({ length }) => length),
    Uint8Array.from(tokens.flatMap((token) => [...token])),
    isSpecial(tokenizer),
  ];
  return join(parts);
}

type Part = Uint8Array | Uint32Array | Int32Array | Float32Array;

/** `struct Header` of model.c, field by field. */
function header(
  { config, bosId, endId }: ExportModel,
  { vocabulary, vocabSize }: BpeTokenizer,
  rule: LexerRule,
  format: CFormat,
  classes: readonly Uint32Array[],
  tokens: readonly Uint8Array[],
): Part[] {
  const { nLayer, nHead, nKvHead, nEmbd, headDim, nFfn } = config;
  const sizes = [nLayer, nHead, nKvHead, nEmbd, headDim, nFfn, config.vocabSize];
  return [
    Int32Array.of(FORMATS[format], ...sizes, config.sequenceLen, config.window ?? 0),
    Int32Array.of(...flags(config)),
    Float32Array.of(config.ropeBase, config.normEps),
    Int32Array.of(rule.family === "gpt-2" ? 0 : 1, CONTRACTIONS[rule.contractions]),
    Int32Array.of(rule.family === "gpt-2" ? 0 : rule.digits, vocabulary.wholePieces ? 1 : 0),
    Int32Array.of(vocabSize, vocabulary.merges.length, bosId ?? -1, endId ?? -1),
    Int32Array.from(classes, ({ length }) => length / 2),
    Int32Array.of(Math.max(...tokens.map(({ length }) => length))),
  ];
}

const flags = (config: ModelConfig): number[] =>
  [config.qkNorm, config.tiedEmbeddings].map((flag) => (flag ? 1 : 0));

/** A special token has its name, others their bytes. */
function tokenTexts(tokenizer: BpeTokenizer): Uint8Array[] {
  const tokens = [...tokenizer.vocabulary.tokens];
  for (const [name, id] of tokenizer.specialTokens) tokens[id] = new TextEncoder().encode(name);
  return tokens;
}

function isSpecial(tokenizer: BpeTokenizer): Uint8Array {
  const special = new Uint8Array(tokenizer.vocabSize);
  for (const id of tokenizer.specialTokens.values()) special[id] = 1;
  return special;
}

/** First and last code point of each run that the expression matches. */
function codePointRanges(pattern: RegExp): Uint32Array {
  const ranges: number[] = [];
  for (let point = 0; point <= 0x10ffff; point++) {
    if (!pattern.test(String.fromCodePoint(point))) continue;
    if (ranges.at(-1) === point - 1) ranges[ranges.length - 1] = point;
    else ranges.push(point, point);
  }
  return Uint32Array.from(ranges);
}

function join(parts: readonly Part[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + padded(part.byteLength), 0));
  let at = 0;
  for (const { buffer, byteOffset, byteLength } of parts) {
    out.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += padded(byteLength);
  }
  return out;
}
