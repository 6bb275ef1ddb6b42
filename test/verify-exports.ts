/**
 * `npm run verify:exports -- --json`: one model in every format, each opened by the program that it
 * is meant for, beside our own engine. One JSON line a row, with `holds`; the exit code is 1 when a
 * row does not hold, or when the programs to compare with are not installed (`npm run peers`).
 *
 *     [--model DIR] [--tokens 64] [--json]
 *
 * Without --model: the one in models/, else one that is trained on the spot in about a minute.
 */
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { Tokenizer } from "@huggingface/tokenizers";
import { type ExportModel, openExportModel } from "../src/llm/export/export-model.node.ts";
import { type ExportTarget, prepareExport } from "../src/llm/export/formats.node.ts";
import { importFolder } from "../src/llm/export/import-folder.node.ts";
import type { NumberFormat } from "../src/llm/export/number-format.ts";
import { parameterSpecs } from "../src/llm/model/parameters.ts";
import type { Precision } from "../src/llm/model/transformer.ts";
import { type CPeer, compileC } from "./llm/export/c-peer.ts";
import { type LlamaPeer, openLlama } from "./llm/export/llama-peer.ts";
import { openOnnx } from "./llm/export/onnx-peer.ts";
import { type OurEngine, openOurEngine } from "./llm/export/our-engine.ts";
import { variedTexts } from "./llm/tokenizer/varied-text.ts";

const root = dirname(import.meta.dirname);
const { values } = parseArgs({
  options: {
    model: { type: "string" },
    tokens: { type: "string", default: "64" },
    json: { type: "boolean", default: false },
  },
});
const TOKENS = Number(values.tokens);
const NO_PEERS = "not installed; npm run peers";
const QUIET = { force: false } as const;

const PROMPTS: readonly string[] = [
  "Once upon a time",
  "The little dog",
  "One morning, Anna",
  "In the beginning",
  "The capital of France is",
  "Water is made of",
  "The history of the town",
  "To make bread, you",
  "The president said on Monday that",
  "Symptoms of the disease include",
  '"Where are you going?" she asked.',
  "Dear Sir,\n\n",
  "def main():\n    ",
  "List of files:\n- ",
  "It's a truth that isn't known",
  "She couldn't say why",
  "In 19",
  "Café, naïve, Zürich:",
  "The",
  "A scientist found that the",
];

/** Numbers and capital contractions, where llama.cpp may have no pattern that equals ours. */
const ODD = /\p{N}{3,}|'(?:[SDMT]|[lL]L|Ll|V[eE]|vE|R[eE]|rE)/gu;

interface Row {
  readonly check: string;
  readonly holds: boolean;
  readonly [fact: string]: unknown;
}

const folder = mkdtempSync(join(tmpdir(), "nutshell-exports-"));
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

try {
  await verify();
} finally {
  rmSync(folder, { recursive: true });
}

async function verify(): Promise<void> {
  const path = values.model ?? findShipped() ?? trainSmall();
  const model = await openExportModel(path);
  await using ours = await openOurEngine(path);
  say(`${model.folder}: ${PROMPTS.length} prompts, ${TOKENS} tokens each`);
  let sound = true;
  for await (const row of rows(model, ours)) {
    sound &&= row.holds;
    const { check, holds, ...facts } = row;
    const line = `${holds ? "holds  " : "BROKEN "} ${check}: ${JSON.stringify(facts)}`;
    process.stdout.write(`${values.json ? JSON.stringify(row) : line}\n`);
  }
  process.exitCode = sound ? 0 : 1;
}

function findShipped(): string | undefined {
  const [found] = globSync("models/*/config.json", { cwd: root }).sort();
  return found === undefined ? undefined : join(root, dirname(found));
}

/** Small, and yet no parrot of one token: greedy text of an untrained model proves little. */
function trainSmall(): string {
  say("training a small model, about a minute");
  const out = join(folder, "trained");
  const flags = "--preset tiny --steps 300 --clean off --max-bytes 8000000 --vocab-size 2048";
  const main = join(root, "src/cli/main.ts");
  const args = [main, "pretrain", ...flags.split(" "), "--out", out];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "ignore" });
  if (status !== 0) throw new Error(`verify:exports: training ended with exit code ${status}`);
  return out;
}

async function* rows(model: ExportModel, ours: OurEngine): AsyncGenerator<Row> {
  const prompts = PROMPTS.map((text) => [
    ...(model.tokenizer.bos === undefined ? [] : [model.tokenizer.bos]),
    ...model.tokenizer.encode(text),
  ]);
  const expected = await ours.greedy(prompts, TOKENS, "f32");
  if (model.tokenizer.kind === "bpe") {
    yield* ggufRows(model, ours, prompts, expected);
    for (const format of ["f32", "bf16", "q8_0"] as const) yield await cRow(model, format, prompts);
  }
  yield await onnxRow(model, ours, prompts, false);
  yield await onnxRow(model, ours, prompts, true);
  yield await roundTripRow(model);
  yield await tokenizerRow(model);
}

async function write(
  model: ExportModel,
  to: ExportTarget,
  format: NumberFormat | undefined,
  cache = false,
): Promise<string> {
  const path = join(folder, `${to}-${format ?? "stored"}${cache ? "-cache" : ""}`);
  await prepareExport(model, { to, format, cache }).write(path, QUIET);
  return path;
}

// ---- llama.cpp ------------------------------------------------------------------------------

async function* ggufRows(
  model: ExportModel,
  ours: OurEngine,
  prompts: readonly (readonly number[])[],
  expected: readonly (readonly number[])[],
): AsyncGenerator<Row> {
  const contextLen = Math.max(...prompts.map(({ length }) => length)) + TOKENS;
  for (const precision of ["f32", "bf16"] as const) {
    const file = await write(model, "gguf", precision);
    await using peer = await openLlama(file, contextLen);
    const check = `llama.cpp, GGUF ${precision}`;
    if (peer === undefined) {
      yield { check, holds: false, reason: `node-llama-cpp is ${NO_PEERS}` };
      return;
    }
    const same = precision === "f32" ? expected : await ours.greedy(prompts, TOKENS, precision);
    yield { check, ...(await compareGreedy(peer, ours, prompts, same, precision)) };
    if (precision === "f32") yield encodeRow(model, peer);
  }
}

interface Difference {
  readonly prompt: string;
  /** New tokens that are equal before it. */
  readonly after: number;
  /** ln-odds of our choice over theirs: in our f32 and bf16, and in llama.cpp, theirs negative. */
  readonly gapF32: number;
  readonly gapBf16: number;
  readonly gapLlama: number;
  /** Largest change of a logit here between our f32 and our bf16: what bf16 cannot tell apart. */
  readonly noise: number;
  readonly tie: boolean;
}

/** Equal token by token; in bf16 a first difference within the arithmetic's own noise is a tie. */
async function compareGreedy(
  peer: LlamaPeer,
  ours: OurEngine,
  prompts: readonly (readonly number[])[],
  expected: readonly (readonly number[])[],
  precision: Precision,
): Promise<{ holds: boolean; [fact: string]: unknown }> {
  const differences: Difference[] = [];
  for (const [i, prompt] of prompts.entries()) {
    const mine = expected[i] as readonly number[];
    const theirs = await peer.greedy(prompt, mine.length);
    const after = mine.findIndex((id, at) => id !== theirs[at]);
    if (after < 0) continue;
    const past = [...prompt, ...mine.slice(0, after)];
    const pair = [mine[after] as number, theirs[after] as number] as const;
    differences.push({
      prompt: PROMPTS[i] as string,
      after,
      ...(await gaps(peer, ours, past, pair)),
    });
  }
  const ties = differences.filter(({ tie }) => tie).length;
  const holds = differences.length === (precision === "bf16" ? ties : 0);
  const texts = prompts.length;
  return { holds, texts, tokens: TOKENS, equal: texts - differences.length, ties, differences };
}

async function gaps(
  peer: LlamaPeer,
  ours: OurEngine,
  past: readonly number[],
  [mine, theirs]: readonly [number, number],
): Promise<Omit<Difference, "prompt" | "after">> {
  const last = async (precision: Precision): Promise<Float32Array> =>
    (await ours.logits(past, precision)).slice(-ours.config.vocabSize);
  const [f32, bf16] = [await last("f32"), await last("bf16")];
  const llama = await peer.logits(past);
  const noise = f32.reduce((most, x, id) => Math.max(most, Math.abs(x - (bf16[id] as number))), 0);
  const gap = (of: Float32Array): number => (of[mine] as number) - (of[theirs] as number);
  return {
    gapF32: gap(f32),
    gapBf16: gap(bf16),
    gapLlama: (llama.get(mine) ?? Number.NaN) - (llama.get(theirs) ?? Number.NaN),
    noise,
    tie: Math.abs(gap(f32)) <= 2 * noise,
  };
}

function encodeRow(model: ExportModel, peer: LlamaPeer): Row {
  const counts = {
    documents: 0,
    different: 0,
    differentWithoutNumbers: 0,
    tokens: 0,
    theirTokens: 0,
  };
  const isEqual = (text: string): boolean => {
    const [mine, theirs] = [model.tokenizer.encode(text), peer.encode(text)];
    counts.tokens += mine.length;
    counts.theirTokens += theirs.length;
    return mine.length === theirs.length && mine.every((id, i) => id === theirs[i]);
  };
  const texts = variedTexts(1).filter(({ kind }) =>
    ["code", "documentation", "dictionary", "country profiles"].includes(kind),
  );
  for (const { text } of texts.filter((_, i) => i % 8 === 0)) {
    counts.documents++;
    if (isEqual(text)) continue;
    counts.different++;
    if (!isEqual(text.replace(ODD, ""))) counts.differentWithoutNumbers++;
  }
  const { notes } = prepareExport(model, { to: "gguf", format: "f32", cache: false });
  const allowed = notes.length > 0 ? counts.differentWithoutNumbers : counts.different;
  return { check: "llama.cpp's tokenizer", holds: allowed === 0, ...counts, notes };
}

// ---- C --------------------------------------------------------------------------------------

/** Beside our f32 arithmetic over weights of the same format. */
async function cRow(
  model: ExportModel,
  format: "f32" | "bf16" | "q8_0",
  prompts: readonly (readonly number[])[],
): Promise<Row> {
  const peer: CPeer = await compileC(await write(model, "c", format));
  await using ours = await openOurEngine(model.folder, format);
  const expected = await ours.greedy(prompts, TOKENS, "f32", model.tokenizer.vocabSize);
  const ends = [model.tokenizer.bos, model.endId];
  let [encoded, equal] = [0, 0];
  for (const [i, prompt] of PROMPTS.entries()) {
    const found = await peer.greedy(prompt, TOKENS);
    if (String(found.prompt) === String(prompts[i])) encoded++;
    const whole = expected[i] as readonly number[];
    const end = whole.findIndex((id) => ends.includes(id));
    if (String(found.text) === String(end < 0 ? whole : whole.slice(0, end))) equal++;
  }
  const all = PROMPTS.length;
  return {
    check: `C, ${format}`,
    holds: encoded === all && equal === all,
    texts: all,
    encoded,
    equal,
  };
}

// ---- ONNX Runtime ---------------------------------------------------------------------------

async function onnxRow(
  model: ExportModel,
  ours: OurEngine,
  prompts: readonly (readonly number[])[],
  cache: boolean,
): Promise<Row> {
  const check = `ONNX Runtime${cache ? ", key-value cache" : ""}`;
  const { nKvHead: heads, headDim, vocabSize } = model.config;
  const file = await write(model, "onnx", "f32", cache);
  const peer = await openOnnx(file, { heads, headDim });
  if (peer === undefined) return { check, holds: false, reason: `onnxruntime-node is ${NO_PEERS}` };
  let [worst, count] = [0, 0];
  for (const ids of prompts.filter(({ length }) => length >= 4)) {
    const expected = await ours.logits(ids, "f32");
    const pieces = [ids.length - 2, 1, 1];
    const actual = cache
      ? await peer.cachedLogits(ids, pieces)
      : (await peer.logits([ids, ids])).subarray(ids.length * vocabSize);
    worst = Math.max(worst, difference(actual, expected));
    count++;
  }
  return { check, holds: worst <= 1e-4, prompts: count, largestDifference: worst, tolerance: 1e-4 };
}

/** Relative to the spread of the expected values. */
function difference(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let [low, high, most] = [Infinity, -Infinity, 0];
  for (const [i, x] of expected.entries()) {
    low = Math.min(low, x);
    high = Math.max(high, x);
    most = Math.max(most, Math.abs(x - (actual[i] as number)));
  }
  return most / (high - low);
}

// ---- safetensors and the tokenizer's file -----------------------------------------------------

async function roundTripRow(model: ExportModel): Promise<Row> {
  const first = await write(model, "safetensors", undefined);
  const second = join(folder, "imported");
  await importFolder(first, second, QUIET);
  const back = await openExportModel(second);
  const third = await write(back, "safetensors", "f32");
  const files = ["model.safetensors", "config.json", "tokenizer.json"];
  const same = await Promise.all(
    files.map(async (name) => {
      const [a, b] = await Promise.all([first, second].map((at) => readFile(join(at, name))));
      return (a as Buffer).equals(b as Buffer);
    }),
  );
  const specs = parameterSpecs(model.config);
  const widened = await openExportModel(third);
  let tensors = 0;
  for (const { name } of specs)
    if (sameBits(await model.read(name), await widened.read(name))) tensors++;
  const holds = same.every(Boolean) && tensors === specs.length;
  return { check: "safetensors, there and back", holds, files, tensors, of: specs.length };
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  const [x, y] = [a, b].map((of) => Buffer.from(of.buffer, of.byteOffset, of.byteLength));
  return (x as Buffer).equals(y as Buffer);
}

async function tokenizerRow(model: ExportModel): Promise<Row> {
  const check = "tokenizer.json, @huggingface/tokenizers";
  const at = join(folder, "safetensors-stored");
  const read = async (name: string): Promise<object> =>
    JSON.parse(await readFile(join(at, name), "utf8")) as object;
  if (!existsSync(at)) return { check, holds: false, reason: "no folder was written" };
  const peer = new Tokenizer(await read("tokenizer.json"), await read("tokenizer_config.json"));
  // That library runs JavaScript's \s, which is not Unicode's white space in these two, and reads
  // the names of special tokens in any text.
  const names = [...model.tokenizer.specialTokens.keys()];
  const texts = variedTexts(2).filter(
    ({ text }) => !/[\ufeff\u0085]/.test(text) && !names.some((name) => text.includes(name)),
  );
  let [documents, different] = [0, 0];
  for (const { text } of texts.filter((_, i) => i % 9 === 0)) {
    documents++;
    const theirs = peer.encode(text, { add_special_tokens: false }).ids;
    if (String(theirs) !== String(model.tokenizer.encode(text))) different++;
  }
  return { check, holds: different === 0, documents, different };
}
