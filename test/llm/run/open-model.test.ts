/** What tells one model's weights from another's, in one file and in several. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { hashWeights, openModel } from "../../../src/llm/run/open-model.node.ts";
import { saveSmallModel } from "../rl/small-model.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-open-model-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("the hash of a model sees each of its files", async () => {
  const opened = await openModel(await saveSmallModel(folder));
  const own = (name: string): string => join(opened.checkpoint.folder, name);
  const one = readFileSync(own("model.safetensors"));
  assert.equal(await hashWeights(opened), createHash("sha256").update(one).digest("hex"));
  writeFileSync(own("model-2.safetensors"), "second");
  const both = await hashWeights(opened);
  assert.equal(await hashWeights(opened), both);
  writeFileSync(own("model-2.safetensors"), "another");
  assert.notEqual(await hashWeights(opened), both);
});
