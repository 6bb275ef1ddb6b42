/** GGUF files read back by an independent reader, and opened by llama.cpp where it is installed. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findLlama } from "../../../src/llm/engines/load-llama.node.ts";
import { openExportModel } from "../../../src/llm/export/export-model.node.ts";
import { prepareExport } from "../../../src/llm/export/formats.node.ts";
import type { NumberFormat } from "../../../src/llm/export/number-format.ts";
import { dequantized, quantize } from "../../../src/llm/model/quantize.ts";
import { CL100K_PATTERN, GPT2_PATTERN } from "../../../src/llm/tokenizer/pattern.ts";
import { type GgufContent, readGguf } from "./gguf-reader.ts";
import { openLlama } from "./llama-peer.ts";
import { openOurEngine } from "./our-engine.ts";
import { saveTinyModel, storyTokenizer, tinyConfig } from "./tiny-model.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-gguf-"));
after(() => rmSync(folder, { recursive: true }));

const plain = await saveTinyModel(join(folder, "plain"));
const qwen = await saveTinyModel(join(folder, "qwen"), { qkNorm: true, tiedEmbeddings: true });

async function write(path: string, format: NumberFormat): Promise<string> {
  const model = await openExportModel(path);
  const file = join(folder, `${path.split("/").at(-2)}-${format}.gguf`);
  const prepared = prepareExport(model, { to: "gguf", format, cache: false });
  await prepared.write(file, { force: true });
  return file;
}

const read = async (path: string, format: NumberFormat): Promise<GgufContent> =>
  readGguf(readFileSync(await write(path, format)));

test("the header says what the model is", async () => {
  const { version, metadata } = await read(plain, "f32");
  assert.equal(version, 3);
  const expected: Record<string, unknown> = {
    "general.architecture": "llama",
    "general.file_type": 0,
    "llama.context_length": 96,
    "llama.embedding_length": 64,
    "llama.block_count": 2,
    "llama.feed_forward_length": 96,
    "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 2,
    "llama.attention.key_length": 32,
    "llama.attention.value_length": 32,
    "llama.attention.layer_norm_rms_epsilon": Math.fround(1e-5),
    "llama.rope.freq_base": 10000,
    "llama.rope.dimension_count": 32,
    "llama.vocab_size": 512,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.add_bos_token": true,
  };
  for (const [key, value] of Object.entries(expected)) assert.equal(metadata.get(key), value, key);
});

test("the vocabulary: every row has a name, marks are control tokens, merges in order", async () => {
  const { metadata } = await read(plain, "f32");
  const { tokenizer } = await openExportModel(plain);
  const tokens = metadata.get("tokenizer.ggml.tokens") as string[];
  const types = metadata.get("tokenizer.ggml.token_type") as number[];
  assert.equal(tokens.length, 512);
  assert.equal(new Set(tokens).size, 512);
  const bos = metadata.get("tokenizer.ggml.bos_token_id") as number;
  assert.equal(tokens[bos], "<|bos|>");
  assert.equal(tokens[metadata.get("tokenizer.ggml.eos_token_id") as number], "<|assistant_end|>");
  for (const id of tokenizer.specialTokens.values()) assert.equal(types[id], 3);
  assert.equal(types[511], 5);
  assert.equal(types[65], 1);
  const merges = metadata.get("tokenizer.ggml.merges") as string[];
  assert.equal(merges.length, 500 - 256 - 11);
  const [left = "", right = ""] = (merges.at(-1) as string).split(" ");
  assert.equal(tokens[500 - 12], left + right);
  assert.match(metadata.get("tokenizer.chat_template") as string, /assistant_start/);
});

test("tensors: aligned, in llama.cpp's names and order of rows, exact in f32", async () => {
  const { tensors } = await read(plain, "f32");
  const model = await openExportModel(plain);
  assert.equal(tensors.size, 2 * 9 + 3);
  for (const { at } of tensors.values()) assert.equal(at % 32, 0);
  const same = async (theirs: string, ours: string): Promise<void> =>
    assert.deepEqual(tensors.get(theirs)?.values(), await model.read(ours), theirs);
  await same("token_embd.weight", "model.embed_tokens.weight");
  await same("output.weight", "lm_head.weight");
  await same("blk.1.ffn_down.weight", "model.layers.1.mlp.down_proj.weight");
  await same("blk.0.attn_norm.weight", "model.layers.0.input_layernorm.weight");
  await same("blk.1.attn_v.weight", "model.layers.1.self_attn.v_proj.weight");
  const k = await model.read("model.layers.0.self_attn.k_proj.weight");
  const turned = tensors.get("blk.0.attn_k.weight")?.values() as Float32Array;
  // Row d of a head goes to 2d, row d + D/2 to 2d + 1.
  for (const [from, to] of [
    [0, 0],
    [16, 1],
    [1, 2],
    [17, 3],
    [31, 31],
    [32, 32],
    [48, 33],
  ] as const)
    assert.deepEqual(turned.subarray(to * 64, to * 64 + 64), k.subarray(from * 64, from * 64 + 64));
  assert.deepEqual(tensors.get("blk.0.ffn_up.weight")?.sizes, [64, 96]);
});

test("with QK-norm it is a qwen3: rows as they are, gains of the heads, a tied head", async () => {
  const { metadata, tensors } = await read(qwen, "f32");
  const model = await openExportModel(qwen);
  assert.equal(metadata.get("general.architecture"), "qwen3");
  assert.equal(metadata.get("qwen3.attention.key_length"), 32);
  assert.equal(tensors.has("output.weight"), false);
  for (const [theirs, ours] of [
    ["blk.0.attn_q.weight", "self_attn.q_proj.weight"],
    ["blk.0.attn_k_norm.weight", "self_attn.k_norm.weight"],
  ] as const)
    assert.deepEqual(tensors.get(theirs)?.values(), await model.read(`model.layers.0.${ours}`));
});

test("quantised blocks hold the numbers of the engine's own; gains stay f32", async () => {
  const model = await openExportModel(plain);
  for (const format of ["q8_0", "q4_0"] as const) {
    const { tensors } = await read(plain, format);
    const values = await model.read("model.layers.0.mlp.down_proj.weight");
    const expected = dequantized(quantize(format, values, [64, 96]));
    assert.deepEqual(tensors.get("blk.0.ffn_down.weight")?.values(), expected);
    assert.equal(tensors.get("blk.0.ffn_norm.weight")?.type, 0);
    assert.equal(tensors.get("token_embd.weight")?.type, 8);
  }
});

test("half precision is rounded to nearest, rows without whole blocks stay in it", async () => {
  const model = await openExportModel(plain);
  const values = await model.read("lm_head.weight");
  for (const [format, bits] of [
    ["bf16", 8],
    ["f16", 11],
  ] as const) {
    const found = (await read(plain, format)).tensors.get("output.weight")?.values() ?? [];
    for (const [i, x] of values.entries())
      assert.ok(Math.abs((found[i] as number) - x) <= Math.abs(x) * 2 ** -bits + 2 ** -25, `${x}`);
  }
  const odd = await saveTinyModel(join(folder, "odd"), { nEmbd: 48 });
  const { tensors } = await read(odd, "q8_0");
  assert.equal(tensors.get("blk.0.ffn_up.weight")?.type, 1);
  assert.equal(tensors.get("blk.0.ffn_down.weight")?.type, 8);
});

test("what llama.cpp does not compute is refused", async () => {
  const windowed = await openExportModel(
    await saveTinyModel(join(folder, "windowed"), { window: 20 }),
  );
  const prepare = (): unknown =>
    prepareExport(windowed, { to: "gguf", format: "f32", cache: false });
  assert.throws(prepare, { code: "UNSUPPORTED", message: /window of 20/ });
});

const skip = findLlama() === undefined && "npm run peers";

test("llama.cpp writes our greedy text and cuts text as we do", { skip }, async () => {
  const text = "One day, Tom's cat didn't jump over 12 big boxes.\n\n  The end!";
  for (const [path, pattern] of [
    [plain, undefined],
    [qwen, undefined],
    ["gpt2", GPT2_PATTERN],
    ["cl100k", CL100K_PATTERN],
  ] as const) {
    const own = pattern && (await saveTinyModel(join(folder, path), {}, storyTokenizer(pattern)));
    const model = await openExportModel(own ?? path);
    const file = await write(model.folder, "f32");
    await using llama = await openLlama(file, tinyConfig.sequenceLen);
    await using ours = await openOurEngine(model.folder);
    const hard = pattern === undefined ? text : `${text} In 1984 WE'LL pay 10000.`;
    assert.deepEqual(llama?.encode(hard), model.tokenizer.encode(hard));
    const prompt = [model.tokenizer.bos as number, ...model.tokenizer.encode(text)];
    const [expected] = await ours.greedy([prompt], 24, "f32");
    assert.ok(new Set(expected).size > 5, "the text must not be one token over and over");
    assert.deepEqual(await llama?.greedy(prompt, 24), expected);
  }
});
