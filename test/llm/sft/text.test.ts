/** Where text for SFT is found, what its rows hold, and what is said where it is not to be had. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createBatch } from "../../../src/llm/data/sampling/batch.ts";
import { openModel } from "../../../src/llm/run/open-model.node.ts";
import { completeConfig } from "../../../src/llm/sft/complete-config.ts";
import { openText, planText } from "../../../src/llm/sft/text.node.ts";
import { bos, prepareTexts, textsOf, tokenizer } from "../data/shards/made-up.ts";
import { saveSmallModel, smallConfig, smallSft } from "./small-model.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-sft-text-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const texts = textsOf(1, 300);
const data = join(folder, "told", "data");
await saveSmallModel(join(folder, "told"), 1, tokenizer);
await prepareTexts(data, [{ name: "cats", texts }]);
const bytes = await saveSmallModel(join(folder, "bytes"));

test("rows are whole documents of the text, each token a target, in another order by the seed", async () => {
  const rowsOf = async (seed: number): Promise<string> => {
    const asked = smallSft({ model: join(folder, "told"), textShare: 0.5, steps: 4, seed });
    using prepared = openText(asked, await openModel(join(folder, "told")));
    assert.ok(prepared);
    const text = planText(prepared, completeConfig(asked, smallConfig, 9, "f32"));
    const batch = createBatch(2, 64);
    for (let n = 0; n < 3; n++) text.write(n, batch, 1);
    assert.ok(batch.inputs.subarray(0, 64).every((id) => id === 0));
    const row = batch.inputs.subarray(64);
    assert.equal(row[0], bos);
    assert.deepEqual([...batch.targets.subarray(64, 127)], [...row.subarray(1)]);
    const [first = ""] = tokenizer.decode(row.subarray(1)).split("<|bos|>");
    assert.ok(texts.includes(first) || texts.some((one) => one.includes(first.slice(0, 20))));
    return row.join();
  };
  assert.notEqual(await rowsOf(1), await rowsOf(2));
  assert.equal(await rowsOf(1), await rowsOf(1));
});

test("no text beside the model, or text of another vocabulary", async () => {
  const opened = await openModel(bytes);
  const asked = smallSft({ model: bytes, textShare: 0.5 });
  assert.throws(() => openText(asked, opened), {
    code: "DATA",
    message: /got no prepared folder at .*data\. Name one with --text, or pass --text-share 0\./,
  });
  assert.throws(() => openText({ ...asked, text: data }, opened), {
    code: "DATA",
    message: /must be prepared with the model's own tokenizer/,
  });
  assert.equal(openText({ ...asked, textShare: 0 }, opened), undefined);
});

test("an epoch of conversations takes more rows where some are text", () => {
  const asked = smallSft({ steps: undefined, batchSize: 2, epochs: 2 });
  const stepsAt = (textShare: number): number =>
    completeConfig({ ...asked, textShare }, smallConfig, 30, "f32").steps;
  assert.deepEqual([stepsAt(0), stepsAt(0.25)], [30, 40]);
});
