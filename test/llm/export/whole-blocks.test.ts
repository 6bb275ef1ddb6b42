/** An MLP that is no whole number of blocks wide, as formats in blocks hold it. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openExportModel } from "../../../src/llm/export/export-model.node.ts";
import { type ExportRequest, prepareExport } from "../../../src/llm/export/formats.node.ts";
import { loadCheckpoint } from "../../../src/llm/model/checkpoint.node.ts";
import { openOurEngine } from "./our-engine.ts";
import { saveTinyModel } from "./tiny-model.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-blocks-"));
after(() => rmSync(folder, { recursive: true }));
const odd = await saveTinyModel(join(folder, "odd"), { nFfn: 40 });

async function toFolder(path: string, name: string): Promise<string> {
  const out = join(folder, name);
  const request: ExportRequest = { to: "safetensors", format: "q8_0", cache: false };
  await prepareExport(await openExportModel(path), request).write(out, { force: false });
  return out;
}

test("units of zeros fill the last block and change no token and hardly a logit", async () => {
  const out = await toFolder(odd, "q8");
  const { config } = await loadCheckpoint(out);
  assert.equal(config.nFfn, 64);
  const ids = [3, 99, 250, 7, 7, 410];
  await using widened = await openOurEngine(out);
  const got = await widened.logits(ids, "f32");
  // Rows of gate and up are whole blocks anyway: what differs is the way back, block by block.
  await using original = await openOurEngine(odd);
  const expected = await original.logits(ids, "f32");
  const spread = Math.max(...expected) - Math.min(...expected);
  let most = 0;
  got.forEach((x, i) => {
    most = Math.max(most, Math.abs(x - (expected[i] as number)));
  });
  assert.ok(most < 0.02 * spread, `${most} of ${spread}`);
  assert.ok(most > 0, "8 bits are not 32");
});

test("a folder of 8 bits goes out again with the same bytes", async () => {
  const once = await toFolder(odd, "once");
  const twice = await toFolder(once, "twice");
  const [a, b] = await Promise.all([once, twice].map(openExportModel));
  for (const name of ["lm_head.weight", "model.layers.1.mlp.down_proj.weight"]) {
    const [x, y] = [await a?.read(name), await b?.read(name)];
    assert.ok(x !== undefined && y !== undefined && x.length === y.length);
    assert.ok(x.every((value, i) => value === y[i]));
  }
});
