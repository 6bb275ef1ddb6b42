/** The C file, compiled by the system's compiler: our tokens, our greedy text, clear refusals. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type ExportModel, openExportModel } from "../../../src/llm/export/export-model.node.ts";
import { prepareExport } from "../../../src/llm/export/formats.node.ts";
import type { ModelConfig } from "../../../src/llm/model/config.ts";
import { CL100K_PATTERN, GPT2_PATTERN } from "../../../src/llm/tokenizer/pattern.ts";
import { syntheticTexts } from "../tokenizer/varied-text.ts";
import { type CPeer, compileC } from "./c-peer.ts";
import { openOurEngine } from "./our-engine.ts";
import { saveTinyModel, storyTokenizer } from "./tiny-model.ts";

const skip = spawnSync("cc", ["--version"]).status !== 0 && "no C compiler";
const folder = mkdtempSync(join(tmpdir(), "nutshell-c-file-"));
after(() => rmSync(folder, { recursive: true }));

const LONG_CONTEXT = 9000;
const STRICT = ["-O2", "-march=native", "-std=c11", "-Wall", "-Wextra", "-Werror"];

async function build(
  name: string,
  format: "f32" | "bf16" | "q8_0",
  changes: Partial<ModelConfig> = {},
  pattern?: string,
): Promise<{ model: ExportModel; peer: CPeer; out: string }> {
  const path = await saveTinyModel(join(folder, name), changes, storyTokenizer(pattern));
  const model = await openExportModel(path);
  const out = join(folder, `${name}-c`);
  await prepareExport(model, { to: "c", format, cache: false }).write(out, { force: false });
  return { model, peer: await compileC(out, STRICT), out };
}

const rows = [
  { name: "llama", format: "f32", changes: {} },
  { name: "qwen", format: "f32", changes: { qkNorm: true, tiedEmbeddings: true } },
  { name: "mistral", format: "f32", changes: { window: 5 } },
  { name: "bf16", format: "bf16", changes: {} },
  { name: "q8_0", format: "q8_0", changes: { qkNorm: true } },
] as const;

for (const { name, format, changes } of rows) {
  test(`${name}: the same greedy tokens as ours`, { skip }, async () => {
    const { model, peer } = await build(name, format, changes);
    await using ours = await openOurEngine(model.folder, format);
    const text = "One day, Tom's cat didn't jump over 12 big boxes.";
    const prompt = [model.tokenizer.bos as number, ...model.tokenizer.encode(text)];
    const { vocabSize } = model.tokenizer;
    const [expected = []] = await ours.greedy([prompt], 30, "f32", vocabSize);
    assert.ok(new Set(expected).size > 5, "the text must not be one token over and over");
    const ends = [model.tokenizer.bos, model.endId];
    const end = expected.findIndex((id) => ends.includes(id));
    const found = await peer.greedy(text, 30);
    assert.deepEqual(found.prompt, prompt);
    assert.deepEqual(found.text, end < 0 ? expected : expected.slice(0, end));
  });
}

test("text of every kind is cut into our tokens, under every split pattern", { skip }, async () => {
  const texts = syntheticTexts(3).map(({ text }) => text.replaceAll("\0", "").slice(0, 1500));
  for (const [name, pattern] of [
    ["own", undefined],
    ["gpt2", GPT2_PATTERN],
    ["cl100k", CL100K_PATTERN],
  ] as const) {
    const { model, peer } = await build(name, "f32", { sequenceLen: LONG_CONTEXT }, pattern);
    for (const text of texts.filter((_, i) => i % 6 === 0)) {
      const [line = ""] = (await peer.run(text, "-n", "0", "-i")).split("\n");
      assert.equal(line, [model.tokenizer.bos, ...model.tokenizer.encode(text)].join(" "));
    }
    const marked = "<|user_start|>Hi<|user_end|><|assistant_start|>";
    const [line = ""] = (await peer.run(marked, "-x", "-n", "0", "-i")).split("\n");
    const ids = model.tokenizer.encode(marked, { specials: true });
    assert.equal(line, [model.tokenizer.bos, ...ids].join(" "));
  }
});

test("a seed decides the text; marks are not printed", { skip }, async () => {
  const { peer } = await build("seeded", "f32");
  const say = (seed: string): Promise<string> => peer.run("Tom", "-t", "1", "-s", seed, "-n", "40");
  assert.equal(await say("5"), await say("5"));
  assert.notEqual(await say("5"), await say("6"));
  assert.doesNotMatch(await say("5"), /<\|/);
});

test("a flag without a number is refused", { skip }, async () => {
  const { peer } = await build("flags", "f32");
  for (const flag of ["-n", "-t", "-s"])
    await assert.rejects(peer.run("Tom", flag, "many"), /needs a number, got many/);
});

test("a weights file that is torn or none is refused", { skip }, async () => {
  const { out } = await build("torn", "f32");
  const weights = join(out, "weights.bin");
  const run = (): string => spawnSync(join(out, "run"), [weights, "Tom"]).stderr.toString();
  truncateSync(weights, readFileSync(weights).length - 100);
  assert.match(run(), /cut/);
  writeFileSync(weights, "no weights at all");
  assert.match(run(), /not a weights file/);
  rmSync(weights);
  assert.match(run(), /cannot read/);
});
