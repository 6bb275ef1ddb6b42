/** `nutshell tokenizer`: trains a byte-level BPE, encodes and decodes with one, and compares it. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { buffer } from "node:stream/consumers";
import { NutshellError } from "../../error.ts";
import { findSources } from "../../llm/data/sources/find-sources.node.ts";
import type { BpeTokenizer } from "../../llm/tokenizer/bpe.ts";
import type { CharacterTokenizer } from "../../llm/tokenizer/character.ts";
import { BOS } from "../../llm/tokenizer/tokenizer.ts";
import type { TrainOptions } from "../../llm/tokenizer/train.ts";
import { trainBpeTeam } from "../../llm/tokenizer/train-team.node.ts";
import { suggestName } from "../../nearest-name.ts";
import { type OptionTableFor, positive } from "../../options.ts";
import { type Command, type CommandIo, defineCommand } from "../command.ts";
import { formatCount, formatDuration } from "../format.ts";
import { evaluateTokenizers, type NamedTokenizer, renderEval } from "../tokenizer/evaluate.ts";
import { knownVocabularies } from "../tokenizer/known-vocabularies.ts";
import { LearningText } from "../tokenizer/learning-text.ts";
import { renderTokens, tokenText } from "../tokenizer/render-tokens.ts";
import {
  type PatternName,
  patterns,
  readTokenizer,
  writeTokenizer,
} from "../tokenizer/tokenizer-file.ts";

type TieRule = NonNullable<TrainOptions["ties"]>;

interface TokenizerValues {
  tokenizer: string;
  data: string | undefined;
  vocabSize: number;
  maxBytes: number;
  pattern: string | undefined;
  ties: TieRule;
  specialTokens: string | undefined;
  threads: number | undefined;
  specials: boolean;
  file: string | undefined;
  show: boolean;
}

const ties: readonly TieRule[] = ["smaller-ids", "first-seen", "larger-bytes"];

const options: OptionTableFor<TokenizerValues> = {
  tokenizer: {
    type: "string",
    value: "tokenizer.json",
    doc: "The tokenizer: written by train, read by the others. X.tiktoken holds ranks.",
    placeholder: "FILE",
  },
  data: {
    type: "string?",
    value: undefined,
    doc: "train, eval: the text; ../shared/data/pretrain or the built-in mixture if absent.",
    placeholder: "PATH",
  },
  vocabSize: {
    type: "integer",
    value: 8192,
    doc: "train: ids in all: 256 bytes, merges, special tokens.",
  },
  maxBytes: {
    type: "integer",
    value: 32_000_000,
    doc: "train: bytes to learn from, by the mixture's weights. eval: of each source at most.",
    check: positive,
  },
  pattern: {
    type: "string?",
    value: undefined,
    doc: "How text is cut before merging; absent = own, for X.tiktoken by the number of ranks.",
    choices: Object.keys(patterns),
  },
  ties: {
    type: "string",
    value: "smaller-ids",
    doc: "train: which of equally frequent pairs is merged.",
    choices: ties,
  },
  specialTokens: {
    type: "string?",
    value: undefined,
    doc: `train: special tokens in id order, absent = ${BOS}. Also for reading X.tiktoken.`,
    placeholder: "A,B,…",
  },
  threads: {
    type: "integer?",
    value: undefined,
    doc: "train: threads that count words; absent = one per core.",
    check: positive,
  },
  specials: {
    type: "boolean",
    value: false,
    doc: `encode, decode: read and write special tokens such as ${BOS}.`,
  },
  file: {
    type: "string?",
    value: undefined,
    doc: "encode, decode: read this file instead of TEXT.",
    placeholder: "FILE",
  },
  show: { type: "boolean", value: false, doc: "encode: the tokens to look at, not their ids." },
};

type Action = (values: TokenizerValues, io: CommandIo, text: string | undefined) => Promise<void>;

const actions: Readonly<Record<string, Action>> = { train, encode, decode, eval: evaluate };

export const command: Command<OptionTableFor<TokenizerValues>> = defineCommand({
  name: "tokenizer",
  summary: "train a tokenizer, turn text into tokens and back, compare vocabularies",
  example: "nutshell tokenizer train --vocab-size 8192 --tokenizer tokenizer.json",
  positionals: [
    { name: "ACTION", doc: "train, encode, decode or eval.", required: true },
    { name: "TEXT", doc: "Text, or token ids to decode; absent: stdin.", required: false },
  ],
  options,
  async run(values, io, { positionals: [name = "", text] }) {
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) {
      const hint = suggestName(name, Object.keys(actions));
      throw new NutshellError("USAGE", `tokenizer: no action "${name}". ${hint}`);
    }
    await action(values, io, text);
  },
});

async function train(values: TokenizerValues, io: CommandIo): Promise<void> {
  const { tokenizer: file, vocabSize, maxBytes } = values;
  const start = performance.now();
  const found = await findSources(values.data);
  const text = new LearningText(found, maxBytes, io);
  io.stderr(`learning from ${formatCount(text.total)} bytes of ${found.origin}\n`);
  const learned = { vocabSize, ...trainOptions(values) };
  const tokenizer = await trainBpeTeam(text, learned, values.threads ?? availableParallelism());
  io.signal.throwIfAborted();
  writeTokenizer(file, tokenizer);
  const seconds = (performance.now() - start) / 1000;
  const size = tokenizer.vocabSize;
  const result = { tokenizer: file, vocab_size: size, bytes: text.bytes, seconds };
  const told = `${file}: ${size} tokens in ${formatDuration(seconds)}`;
  io.stdout(io.json ? `${JSON.stringify(result)}\n` : `${told}\n`);
  if (size < vocabSize) io.stderr(`no pair of tokens occurs twice any more: ${size} are all\n`);
}

function trainOptions({ pattern = "own", ties, specialTokens }: TokenizerValues): {
  pattern: string;
  ties: TieRule;
  specialTokens: readonly string[];
} {
  const names = parseNames(specialTokens) ?? [BOS];
  return { pattern: patterns[pattern as PatternName], ties, specialTokens: names };
}

/** @throws USAGE when a name comes twice */
function parseNames(list: string | undefined): string[] | undefined {
  const names = list?.split(",").flatMap((name) => (name.trim() === "" ? [] : [name.trim()]));
  const again = names?.find((name, i) => names.indexOf(name) !== i);
  if (again === undefined) return names;
  throw new NutshellError(
    "USAGE",
    `--special-tokens: every token has one id, got ${again} twice. Name it once.`,
  );
}

function open(values: TokenizerValues): BpeTokenizer | CharacterTokenizer {
  const specialTokens = parseNames(values.specialTokens);
  const pattern = values.pattern as PatternName | undefined;
  return readTokenizer(values.tokenizer, {
    ...(pattern === undefined ? {} : { pattern }),
    ...(specialTokens === undefined ? {} : { specialTokens }),
  });
}

async function encode(values: TokenizerValues, io: CommandIo, text?: string): Promise<void> {
  const { specials, show } = values;
  const tokenizer = open(values);
  const utf8 = await readInput(values, text);
  const ids = specials
    ? tokenizer.encode(utf8.toString("utf8"), { specials })
    : [...tokenizer.encodeUtf8(utf8)];
  if (io.json) {
    const tokens = show ? { tokens: ids.map((id) => tokenText(tokenizer, id)) } : {};
    io.stdout(`${JSON.stringify({ ids, ...tokens, bytes: utf8.length })}\n`);
  } else if (show) {
    io.stdout(renderTokens(tokenizer, ids, utf8.length, io.color && process.stdout.isTTY));
  } else {
    io.stdout(`${ids.join(" ")}\n`);
  }
}

async function decode(values: TokenizerValues, io: CommandIo, text?: string): Promise<void> {
  const { specials } = values;
  const tokenizer = open(values);
  const ids = parseIds((await readInput(values, text)).toString("utf8"));
  const decoded = tokenizer.decode(ids, { specials });
  io.stdout(io.json ? `${JSON.stringify({ text: decoded })}\n` : decoded);
}

/** @throws USAGE for two inputs, DATA when the file cannot be read */
async function readInput({ file }: TokenizerValues, text?: string): Promise<Buffer> {
  if (file === undefined) return text === undefined ? buffer(process.stdin) : Buffer.from(text);
  if (text !== undefined)
    throw new NutshellError("USAGE", `tokenizer: one text, got TEXT and --file ${file}. Drop one.`);
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new NutshellError(
      "DATA",
      `tokenizer: ${file} must be readable, got ${(cause as Error).message}. Pass another --file.`,
      { cause },
    );
  }
}

/** @throws USAGE unless the text is integers between blanks or commas */
function parseIds(text: string): number[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  const wrong = words.find((word) => !/^\d+$/.test(word));
  if (wrong === undefined) return words.map(Number);
  throw new NutshellError(
    "USAGE",
    `tokenizer decode: token ids are integers, got "${wrong}". Try: tokenizer decode "104 105"`,
  );
}

async function evaluate(values: TokenizerValues, io: CommandIo): Promise<void> {
  const tokenizers: NamedTokenizer[] = [{ name: "this", tokenizer: open(values) }];
  const missing: string[] = [];
  for (const { name, hint, tryLoad } of knownVocabularies) {
    const tokenizer = await tryLoad();
    if (tokenizer !== undefined) tokenizers.push({ name, tokenizer });
    else {
      missing.push(name);
      io.stderr(`${name} is not here to compare with: ${hint}\n`);
    }
  }
  const found = await findSources(values.data);
  io.stderr(`text kept from training in ${found.origin}\n`);
  const rows = await evaluateTokenizers(found, tokenizers, values.maxBytes, io);
  const sizes = tokenizers.map(({ name, tokenizer }) => [name, tokenizer.vocabSize]);
  const result = { tokenizer: values.tokenizer, vocab_size: Object.fromEntries(sizes), missing };
  io.stdout(io.json ? `${JSON.stringify({ ...result, rows })}\n` : renderEval(rows, tokenizers));
}
