/** ONNX files: their structure by an independent reader, their logits by ONNX Runtime. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openExportModel } from "../../../src/llm/export/export-model.node.ts";
import { prepareExport } from "../../../src/llm/export/formats.node.ts";
import type { NumberFormat } from "../../../src/llm/export/number-format.ts";
import { intField, messageChunks, messageField } from "../../../src/llm/export/protobuf.ts";
import { findPeer } from "./llama-peer.ts";
import { openOnnx } from "./onnx-peer.ts";
import { openOurEngine } from "./our-engine.ts";
import { messages, numbers, readFields, texts } from "./protobuf-reader.ts";
import { saveTinyModel, tinyConfig } from "./tiny-model.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-onnx-"));
after(() => rmSync(folder, { recursive: true }));

const models = {
  llama: await saveTinyModel(join(folder, "llama")),
  qwen: await saveTinyModel(join(folder, "qwen"), { qkNorm: true, tiedEmbeddings: true }),
  mistral: await saveTinyModel(join(folder, "mistral"), { window: 5 }),
};

async function write(path: string, format: NumberFormat, cache: boolean): Promise<string> {
  const model = await openExportModel(path);
  const file = join(folder, `${path.split("/").at(-2)}-${format}-${cache}.onnx`);
  await prepareExport(model, { to: "onnx", format, cache }).write(file, { force: true });
  return file;
}

test("numbers of every size survive, negative ones too", async () => {
  const values = [0, 1, 127, 128, 300, 2 ** 31, 2 ** 53 - 1, -1];
  const message = values.flatMap((value) => intField(3, value));
  const late = { length: 2, load: async () => Uint8Array.of(7, 8) };
  const parts: Uint8Array[] = [];
  for await (const part of messageChunks(
    messageField(200, [...message, ...messageField(9, [late])]),
  ))
    parts.push(part);
  const bytes = new Uint8Array(Buffer.concat(parts));
  const [inner = new Uint8Array()] = messages(bytes, 200);
  assert.deepEqual(numbers(inner, 3), values);
  assert.deepEqual([...(messages(inner, 9)[0] ?? [])], [7, 8]);
});

test("the file is a model of opset 17 whose names all come from somewhere", async () => {
  for (const [path, cache] of [
    [models.llama, false],
    [models.qwen, true],
  ] as const) {
    const bytes = new Uint8Array(readFileSync(await write(path, "f16", cache)));
    assert.deepEqual(numbers(bytes, 1), [8]);
    assert.deepEqual(numbers(messages(bytes, 8)[0] as Uint8Array, 2), [17]);
    const [graph = new Uint8Array()] = messages(bytes, 7);
    const inputs = messages(graph, 11).flatMap((port) => texts(port, 1));
    const outputs = messages(graph, 12).flatMap((port) => texts(port, 1));
    const constants = messages(graph, 5).flatMap((tensor) => texts(tensor, 8));
    assert.deepEqual(
      inputs.slice(0, 2),
      cache ? ["input_ids", "past_key_values.0.key"] : ["input_ids"],
    );
    assert.deepEqual(outputs.slice(0, 2), cache ? ["logits", "present.0.key"] : ["logits"]);
    const known = new Set([...inputs, ...constants]);
    assert.equal(known.size, inputs.length + constants.length, "names differ");
    for (const node of messages(graph, 1)) {
      for (const name of texts(node, 1)) assert.ok(known.has(name), `${name} is made before`);
      for (const name of texts(node, 2)) known.add(name);
    }
    for (const name of outputs) assert.ok(known.has(name));
  }
});

test("weights have their shape, type and bytes", async () => {
  const bytes = new Uint8Array(readFileSync(await write(models.llama, "f32", false)));
  const tensors = messages(messages(bytes, 7)[0] as Uint8Array, 5);
  const wanted = "model.layers.1.self_attn.k_proj.weight";
  const tensor = tensors.find((one) => texts(one, 8)[0] === wanted) as Uint8Array;
  assert.deepEqual(numbers(tensor, 1), [64, 64]);
  assert.deepEqual(numbers(tensor, 2), [1]);
  const raw = (messages(tensor, 9)[0] as Uint8Array).slice();
  const model = await openExportModel(models.llama);
  assert.deepEqual(new Float32Array(raw.buffer), await model.read(wanted));
  assert.ok(readFields(tensor).every(({ number }) => [1, 2, 8, 9].includes(number)));
});

const skip = findPeer("onnxruntime-node/dist/index.js") === undefined && "npm run peers";

test("ONNX Runtime gives our logits, in one pass and through the cache", { skip }, async () => {
  const ids = [489, 72, 101, 300, 12, 499, 0, 72, 101, 411, 56, 257];
  const { nKvHead: heads, headDim, vocabSize } = tinyConfig;
  for (const path of Object.values(models)) {
    await using ours = await openOurEngine(path);
    const expected = await ours.logits(ids, "f32");
    const whole = await openOnnx(await write(path, "f32", false), { heads, headDim });
    const rows = (await whole?.logits([[...ids].reverse(), ids])) as Float32Array;
    assertClose(rows.subarray(ids.length * vocabSize), expected, 1e-4);
    const cached = await openOnnx(await write(path, "f32", true), { heads, headDim });
    assertClose((await cached?.cachedLogits(ids, [7, 1, 3, 1])) as Float32Array, expected, 1e-4);
  }
});

test("narrow weights are widened by the graph", { skip }, async () => {
  const ids = [489, 72, 101, 300];
  const { nKvHead: heads, headDim } = tinyConfig;
  await using ours = await openOurEngine(models.llama, "bf16");
  const peer = await openOnnx(await write(models.llama, "bf16", false), { heads, headDim });
  assertClose((await peer?.logits([ids])) as Float32Array, await ours.logits(ids, "f32"), 1e-4);
});

/** @param tolerance of the spread of the expected values */
function assertClose(actual: Float32Array, expected: Float32Array, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  const spread =
    expected.reduce((a, b) => Math.max(a, b)) - expected.reduce((a, b) => Math.min(a, b));
  for (const [i, x] of expected.entries())
    if (!(Math.abs((actual[i] as number) - x) <= tolerance * spread))
      assert.fail(`logit ${i} must be ${x}, got ${actual[i]}`);
}
