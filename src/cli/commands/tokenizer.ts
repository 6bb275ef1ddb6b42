/** `nutshell tokenizer`: trains a byte-level BPE on a mixture, and encodes and decodes with one. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { NutshellError } from "../../error.ts";
import { totalBytes } from "../../llm/data/document.ts";
import { loadMixture } from "../../llm/data/mixture.node.ts";
import { tokenizerText } from "../../llm/data/tokenizer-text.ts";
import type { Tokenizer } from "../../llm/tokenizer/tokenizer.ts";
import { fromTokenizerJson, toTokenizerJson } from "../../llm/tokenizer/tokenizer-json.ts";
import { trainBpe } from "../../llm/tokenizer/train.ts";
import { suggestName } from "../../nearest-name.ts";
import { type OptionTableFor, positive } from "../../options.ts";
import { type Command, type CommandIo, defineCommand } from "../command.ts";
import { formatCount, formatDuration } from "../format.ts";

interface TokenizerValues {
  tokenizer: string;
  data: string | undefined;
  vocabSize: number;
  maxBytes: number;
  specials: boolean;
}

const options: OptionTableFor<TokenizerValues> = {
  tokenizer: {
    type: "string",
    value: "tokenizer.json",
    doc: "The tokenizer: written by train, read by encode and decode.",
    placeholder: "FILE",
  },
  data: {
    type: "string?",
    value: undefined,
    doc: "train: text to learn from; the mixture beside the checkout or the built-in one if absent.",
    placeholder: "FILE|DIR",
  },
  vocabSize: {
    type: "integer",
    value: 4096,
    doc: "train: ids in all: 256 bytes, merges, special tokens.",
  },
  maxBytes: {
    type: "integer",
    value: 10_000_000,
    doc: "train: bytes of text to learn from, drawn by the mixture's weights.",
    check: positive,
  },
  specials: {
    type: "boolean",
    value: false,
    doc: "encode, decode: read and write special tokens such as <|bos|>.",
  },
};

type Action = (values: TokenizerValues, io: CommandIo, text: string | undefined) => unknown;

const actions: Readonly<Record<string, Action>> = { train, encode, decode };

export const command: Command = defineCommand({
  name: "tokenizer",
  summary: "train a tokenizer, or turn text into tokens and back",
  example: "nutshell tokenizer train --vocab-size 4096 --tokenizer tokenizer.json",
  positionals: [
    { name: "ACTION", doc: "train, encode or decode.", required: true },
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

function train(
  { tokenizer: file, data, vocabSize, maxBytes }: TokenizerValues,
  io: CommandIo,
): void {
  const start = performance.now();
  const mixture = loadMixture(data === undefined ? {} : { data });
  const texts = tokenizerText(mixture.sources, maxBytes);
  const bytes = totalBytes(texts.map((text) => ({ id: "", text })));
  io.stderr(`learning from ${formatCount(bytes)} bytes of ${mixture.origin}\n`);
  const tokenizer = trainBpe(texts, { vocabSize });
  writeTokenizer(file, toTokenizerJson(tokenizer));
  const seconds = (performance.now() - start) / 1000;
  const result = { tokenizer: file, vocab_size: tokenizer.vocabSize, bytes, seconds };
  const told = `${file}: ${tokenizer.vocabSize} tokens in ${formatDuration(seconds)}`;
  io.stdout(io.json ? `${JSON.stringify(result)}\n` : `${told}\n`);
}

async function encode(values: TokenizerValues, io: CommandIo, text?: string): Promise<void> {
  const { specials } = values;
  const input = text ?? (await readAll(process.stdin));
  const ids = readTokenizer(values.tokenizer).encode(input, { specials });
  io.stdout(io.json ? `${JSON.stringify({ ids })}\n` : `${ids.join(" ")}\n`);
}

async function decode(values: TokenizerValues, io: CommandIo, text?: string): Promise<void> {
  const { specials } = values;
  const ids = parseIds(text ?? (await readAll(process.stdin)));
  const decoded = readTokenizer(values.tokenizer).decode(ids, { specials });
  io.stdout(io.json ? `${JSON.stringify({ text: decoded })}\n` : decoded);
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

function readTokenizer(file: string): Tokenizer {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new NutshellError(
      "TOKENIZER",
      `tokenizer: ${file} must be readable, got ${(cause as Error).message}. ` +
        "Train one first (nutshell tokenizer train), or pass --tokenizer FILE.",
      { cause },
    );
  }
  return fromTokenizerJson(text, file);
}

function writeTokenizer(file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } catch (cause) {
    throw new NutshellError(
      "DISK",
      `tokenizer: ${file} must be writable, got ${(cause as Error).message}. ` +
        "Pass another --tokenizer FILE.",
      { cause },
    );
  }
}
