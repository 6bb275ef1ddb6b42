/** A model from elsewhere, whose vocabulary has no marks, becomes an assistant all the same. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { HostArray } from "../../../src/compute/backend.ts";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { openModel } from "../../../src/llm/run/open-model.node.ts";
import { addMarks, growParameters } from "../../../src/llm/sft/add-marks.ts";
import { sft } from "../../../src/llm/sft/sft.node.ts";
import { specialTokens } from "../../../src/llm/tokenizer/special-tokens.ts";
import { trainBpe } from "../../../src/llm/tokenizer/train.ts";
import { saveSmallModel, silent, smallSft } from "./small-model.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-sft-marks-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const foreign = trainBpe(["low lower lowest "], { vocabSize: 259, specialTokens: ["<|end|>"] });
const model = await saveSmallModel(join(folder, "base"), 1, foreign);
const opened = await openModel(model);
const never = new AbortController().signal;

test("marks follow the last token, and text is cut as before", () => {
  const { config } = opened.checkpoint;
  const { tokenizer, model: grown, added } = addMarks(opened, config, "tokenizer.json");
  assert.deepEqual(added, specialTokens);
  assert.equal(grown.vocabSize, 259 + specialTokens.length);
  assert.deepEqual(
    specialTokens.map((name) => tokenizer.special(name)),
    specialTokens.map((_, i) => 259 + i),
  );
  assert.deepEqual(tokenizer.encode("lowest <|bos|>"), foreign.encode("lowest <|bos|>"));
  const again = addMarks({ tokenizer, tokenizerJson: "" }, grown, "tokenizer.json");
  assert.deepEqual([again.added, again.model], [[], grown]);
});

test("new rows are the mean of the old ones and a tenth of their spread; old ones stay", async () => {
  const [before, after] = [
    createReferenceBackend().createStore(),
    createReferenceBackend().createStore(),
  ];
  await opened.checkpoint.loadParameters(before);
  const { model: grown } = addMarks(opened, opened.checkpoint.config, "tokenizer.json");
  await growParameters(before, after, grown, 259, 42);
  for (const name of ["model.embed_tokens.weight", "lm_head.weight"]) {
    const old: HostArray = await before.read(name);
    const now: HostArray = await after.read(name);
    assert.ok(
      old.every((x, at) => x === now[at]),
      name,
    );
    const means = Array.from({ length: 32 }, (_, c) => columnMean(old, c));
    const off = Array.from(now.slice(old.length), (x, at) => x - (means[at % 32] as number));
    const deviation = Math.sqrt(off.reduce((sum, x) => sum + x * x, 0) / off.length);
    // The weights were drawn with a deviation of 0.02.
    assert.ok(Math.abs(deviation / 0.002 - 1) < 0.15, `${name}: ${deviation}`);
  }
});

function columnMean(table: ArrayLike<number>, column: number): number {
  let sum = 0;
  for (let at = column; at < table.length; at += 32) sum += table[at] as number;
  return sum / (table.length / 32);
}

for (const [name, values] of [
  ["all", {}],
  ["updates", { loraRank: 2 }],
] as const)
  test(`a run says so, trains, and goes on where it stopped: ${name}`, async () => {
    const said: string[] = [];
    const talk = { ...silent, say: (line: string) => void said.push(line) };
    const config = smallSft({ model, out: join(folder, name), steps: 2, ...values });
    const first = await sft(config, talk, never);
    assert.ok(said.some((line) => /^11 marks of conversations added to .*: 270 rows$/.test(line)));
    assert.ok(Number.isFinite(first.loss) && Number.isFinite(first.val_loss));
    const made = await openModel(join(folder, name));
    assert.equal(made.checkpoint.config.vocabSize, 270);
    assert.equal(made.tokenizer.special("<|assistant_end|>"), 265);
    assert.equal(
      said.filter((line) => line.startsWith("no adapter")).length,
      name === "all" ? 0 : 1,
    );
    assert.ok(!existsSync(join(folder, name, "adapter")));
    const second = await sft(config, talk, never);
    assert.ok(said.some((line) => line.includes("after step 2 of 2")));
    assert.equal(second.val_loss, first.val_loss);
  });
