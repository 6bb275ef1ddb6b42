/** Checkpoints of 8 bits a weight: small, what was rounded once stays, and bad pairs are refused. */
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Store } from "../../../src/compute/backend.ts";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { loadCheckpoint, saveCheckpoint } from "../../../src/llm/model/checkpoint.node.ts";
import type { ModelConfig } from "../../../src/llm/model/config.ts";
import { fromHfConfig } from "../../../src/llm/model/hugging-face-config.ts";
import { initialise, parameterSpecs } from "../../../src/llm/model/parameters.ts";

const config: ModelConfig = {
  ...{ vocabSize: 50, sequenceLen: 16, nLayer: 2, nHead: 2, nKvHead: 1, nEmbd: 64, headDim: 32 },
  ...{ nFfn: 96, ropeBase: 10000, normEps: 1e-5, qkNorm: false, tiedEmbeddings: false },
};
const backend = createReferenceBackend();

async function saved(t: TestContext): Promise<{ folder: string; original: Store }> {
  const run = await mkdtemp(join(tmpdir(), "nutshell-q8-"));
  t.after(() => rm(run, { recursive: true, force: true }));
  const original = backend.createStore();
  await initialise(original, config, 3);
  const content = { step: 0, config, store: original, texts: {}, dtype: "Q8_0" } as const;
  return { folder: await saveCheckpoint(run, content), original };
}

async function loaded(folder: string): Promise<Store> {
  const store = backend.createStore();
  await (await loadCheckpoint(folder)).loadParameters(store);
  return store;
}

test("every weight comes back within half a step of its block's scale, gains exactly", async (t) => {
  const { folder, original } = await saved(t);
  const store = await loaded(folder);
  for (const { name, role } of parameterSpecs(config)) {
    const [before, after] = [await original.read(name), await store.read(name)];
    for (let i = 0; i < before.length; i++) {
      const block = before.subarray(i - (i % 32), i - (i % 32) + 32);
      const step = Math.max(...[...block].map(Math.abs)) / 127;
      // f16 keeps 11 bits of the scale, and up to 127 times its error enters a weight.
      const most = role === "gain" ? 0 : step / 2 + 127 * step * 2 ** -11;
      const error = Math.abs((before[i] as number) - (after[i] as number));
      assert.ok(error <= most, `${name}[${i}]: ${error} > ${most}`);
    }
  }
});

test("a copy of a copy has the same bytes, and a third of the size", async (t) => {
  const { folder, original } = await saved(t);
  const run = join(folder, "..");
  const store = await loaded(folder);
  const again = await saveCheckpoint(run, { step: 1, config, store, texts: {}, dtype: "Q8_0" });
  const file = (of: string): Promise<Buffer> => readFile(join(of, "model.safetensors"));
  assert.ok((await file(folder)).equals(await file(again)));
  const full = await saveCheckpoint(run, { step: 2, config, store: original, texts: {} });
  const size = (of: string): number => statSync(join(of, "model.safetensors")).size;
  assert.ok(size(folder) < size(full) / 3, `${size(folder)} of ${size(full)} bytes`);
});

test("config.json names the method, and another program's method is refused", async (t) => {
  const { folder } = await saved(t);
  const json = JSON.parse(await readFile(join(folder, "config.json"), "utf8"));
  assert.deepEqual(json.quantization_config, { quant_method: "nutshell-q8_0" });
  assert.deepEqual(fromHfConfig(json), config);
  const gptq = { ...json, quantization_config: { quant_method: "gptq" } };
  assert.throws(() => fromHfConfig(gptq), { code: "CONFIG", message: /quantization_config/ });
});

test("whole numbers without their scales are refused by name", async (t) => {
  const { folder } = await saved(t);
  await rm(join(folder, "manifest.json"));
  const path = join(folder, "model.safetensors");
  const bytes = await readFile(path);
  const name = "lm_head.weight.scales";
  bytes.write(name.replace("scales", "halves"), bytes.indexOf(name));
  await writeFile(path, bytes);
  await assert.rejects(loaded(folder), {
    code: "CHECKPOINT",
    message: /lm_head\.weight must have scales F16 \[50,2\], got none/,
  });
});
