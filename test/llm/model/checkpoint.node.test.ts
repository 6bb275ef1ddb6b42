/** Checkpoints on a real disk: exact, atomic, checked, and foreign folders beside our own. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { cp, mkdir, mkdtemp, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Store } from "../../../src/compute/backend.ts";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { loadCheckpoint, saveCheckpoint } from "../../../src/llm/model/checkpoint.node.ts";
import type { ModelConfig } from "../../../src/llm/model/config.ts";
import { toHfConfig } from "../../../src/llm/model/hugging-face-config.ts";
import { initialise, parameterSpecs } from "../../../src/llm/model/parameters.ts";
import {
  findCheckpoint,
  latestCheckpoint,
  latestGoodCheckpoint,
} from "../../../src/llm/model/run-folder.node.ts";
import { encodeHeader, encodeTensor } from "../../../src/llm/model/safetensors.ts";
import { optimizerState } from "../../../src/llm/optim/train-step.ts";

const config: ModelConfig = {
  vocabSize: 30,
  sequenceLen: 16,
  nLayer: 1,
  nHead: 2,
  nKvHead: 1,
  nEmbd: 8,
  headDim: 4,
  nFfn: 16,
  ropeBase: 10000,
  normEps: 1e-5,
  qkNorm: false,
  tiedEmbeddings: false,
};
const optimizer = optimizerState(parameterSpecs(config), "adamw");
const texts = { "tokenizer.json": '{"model":{}}\n', "card.md": "# A model\n" };

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nutshell-checkpoint-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A store with a model and optimizer moments that are no round numbers. */
async function trainedStore(seed: number): Promise<Store> {
  const store = createReferenceBackend().createStore();
  await initialise(store, config, seed);
  for (const [i, { name, shape }] of optimizer.entries()) {
    store.define(name, { shape, dtype: "f32" });
    const size = shape.reduce((a, b) => a * b, 1);
    await store.write(
      name,
      Float32Array.from({ length: size }, (_, k) => Math.sin(i + k / seed)),
    );
  }
  return store;
}

async function save(run: string, step: number, keep?: number): Promise<string> {
  const store = await trainedStore(step + 1);
  const state = { step, seed: 5, data: { position: step * 64 }, config: { lr: 0.1 } };
  const training = { state, optimizer: optimizer.map(({ name }) => name) };
  return saveCheckpoint(run, { step, config, store, texts, training }, keep);
}

async function assertSame(actual: Store, expected: Store): Promise<void> {
  assert.deepEqual(new Set(actual.names()), new Set(expected.names()));
  for (const name of expected.names())
    assert.deepEqual(await actual.read(name), await expected.read(name), name);
}

test("save, load: every bit of parameters, moments, state and texts", async (t) => {
  const run = await folderFor(t);
  const folder = await save(run, 100);
  assert.equal(folder, join(run, "step-00000100"));
  const checkpoint = await loadCheckpoint(folder);
  assert.deepEqual(checkpoint.config, config);
  assert.deepEqual(checkpoint.training, {
    step: 100,
    seed: 5,
    data: { position: 6400 },
    config: { lr: 0.1 },
  });
  assert.equal(await checkpoint.readText("tokenizer.json"), texts["tokenizer.json"]);
  assert.equal(await checkpoint.readText("generation_config.json"), undefined);
  const store = createReferenceBackend().createStore();
  await checkpoint.loadParameters(store);
  await checkpoint.loadOptimizer(store, optimizer);
  await assertSame(store, await trainedStore(101));
});

test("files of one state are the same bytes", async (t) => {
  const [a, b] = [await save(await folderFor(t), 3), await save(await folderFor(t), 3)];
  for (const name of ["manifest.json", "model.safetensors", "training/optimizer.safetensors"])
    assert.deepEqual(readFileSync(join(a, name)), readFileSync(join(b, name)));
});

test("bf16 weights load as the rounded numbers", async (t) => {
  const run = await folderFor(t);
  const store = await trainedStore(1);
  const folder = await saveCheckpoint(run, { step: 1, config, store, texts, dtype: "BF16" });
  const checkpoint = await loadCheckpoint(folder);
  assert.equal(checkpoint.training, undefined);
  const loaded = createReferenceBackend().createStore();
  await checkpoint.loadParameters(loaded);
  const [before, after] = await Promise.all(
    [store, loaded].map((s) => s.read("lm_head.weight") as Promise<Float32Array>),
  );
  for (const [i, x] of (before as Float32Array).entries())
    assert.ok(Math.abs(x - ((after as Float32Array)[i] as number)) <= Math.abs(x) / 256);
  await assert.rejects(checkpoint.loadOptimizer(loaded, optimizer), {
    code: "CHECKPOINT",
    message: /training\/ .*got none/,
  });
});

test("keep-N keeps the newest; a second save of a step replaces the first", async (t) => {
  const run = await folderFor(t);
  for (const step of [1, 2, 10, 9]) await save(run, step, 2);
  assert.deepEqual(readdirSync(run).sort(), ["step-00000009", "step-00000010"]);
  const again = await save(run, 10, 2);
  assert.deepEqual(readdirSync(run).sort(), ["step-00000009", "step-00000010.1"]);
  assert.equal(await latestCheckpoint(run), again);
  assert.equal(await findCheckpoint(run), again);
  assert.equal(await findCheckpoint(again), again);
});

test("what a killed save left is ignored, then cleared", async (t) => {
  const run = await folderFor(t);
  const good = await save(run, 1);
  const torn = join(run, ".torn-step-00000002-4711");
  await cp(good, torn, { recursive: true });
  await truncate(join(torn, "model.safetensors"), 100);
  assert.equal(await latestCheckpoint(run), good);
  assert.deepEqual(await latestGoodCheckpoint(run), { folder: good, skipped: [] });
  await save(run, 2);
  assert.deepEqual(readdirSync(run).sort(), ["step-00000001", "step-00000002"]);
});

test("kill -9 in the middle of saves leaves only whole checkpoints", async (t) => {
  const run = await folderFor(t);
  const source = (path: string): string => new URL(`../../../src/${path}`, import.meta.url).href;
  const script = `
    const { createReferenceBackend } = await import("${source("compute/backends/reference.ts")}");
    const { saveCheckpoint } = await import("${source("llm/model/checkpoint.node.ts")}");
    const { initialise } = await import("${source("llm/model/parameters.ts")}");
    const config = { ...${JSON.stringify(config)}, vocabSize: 20000, nEmbd: 64 };
    const store = createReferenceBackend().createStore();
    await initialise(store, config, 1);
    for (let step = 0; ; step++) await saveCheckpoint(process.argv[1], { step, config, store, texts: {} }, 2);
  `;
  let found = 0;
  for (const timeout of [900, 1133, 1371]) {
    spawnSync(process.execPath, ["--input-type=module", "-e", script, run], {
      timeout,
      killSignal: "SIGKILL",
    });
    for (const name of readdirSync(run).filter((entry) => entry.startsWith("step-"))) {
      await loadCheckpoint(join(run, name));
      found++;
    }
  }
  assert.ok(found > 0, "no checkpoint was made in time");
});

const files = ["config.json", "model.safetensors", "tokenizer.json", "card.md", "manifest.json"];
const all = [...files, "training/optimizer.safetensors", "training/state.json"];

test("every file: cut, grown, emptied, missing or one bit flipped, is refused by name", async (t) => {
  const run = await folderFor(t);
  const good = await save(run, 1);
  for (const name of all) {
    const bytes = readFileSync(join(good, name));
    const flips = [0, 9, bytes.length >> 1, bytes.length - 1].map((at) => {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] as number) ^ 1;
      return flipped;
    });
    const grown = Buffer.concat([bytes, Buffer.from("x")]);
    for (const damaged of [bytes.subarray(0, -1), Buffer.alloc(0), grown, ...flips]) {
      await writeFile(join(good, name), damaged);
      await assert.rejects(loadCheckpoint(good), (error: Error & { code: string }) => {
        assert.equal(error.code, "CHECKPOINT", error.stack ?? "");
        if (name !== "manifest.json") assert.ok(error.message.startsWith(join(good, name)));
        assert.ok(!error.message.includes("\n"), error.message);
        return true;
      });
    }
    await writeFile(join(good, name), bytes);
    if (name === "manifest.json") continue;
    await rename(join(good, name), join(run, "aside"));
    await assert.rejects(loadCheckpoint(good), { code: "CHECKPOINT", message: /must exist/ });
    await rename(join(run, "aside"), join(good, name));
  }
  await loadCheckpoint(good);
});

test("the newest good checkpoint is found, and what it skipped is told", async (t) => {
  const run = await folderFor(t);
  const [one, two, three] = [await save(run, 1), await save(run, 2), await save(run, 3)];
  await truncate(join(three, "model.safetensors"), 64);
  await rm(join(two, "manifest.json"));
  assert.equal(
    await latestCheckpoint(run),
    three,
    "the plain question is not answered by falling back",
  );
  const { folder, skipped } = await latestGoodCheckpoint(run);
  assert.equal(folder, one);
  assert.deepEqual(
    skipped.map((s) => s.folder),
    [three, two],
  );
  assert.match(skipped[0]?.reason ?? "", /model\.safetensors: must have \d+ bytes, got 64/);
  assert.deepEqual(await latestGoodCheckpoint(join(run, "none")), {
    folder: undefined,
    skipped: [],
  });
});

/** A model folder as others make them: no manifest, tensors in any number of files. */
async function foreignFolder(t: TestContext, shards: number, drop = "", extra: string[] = []) {
  const folder = await folderFor(t);
  const store = await trainedStore(1);
  const names = parameterSpecs(config)
    .map(({ name }) => name)
    .filter((name) => name !== drop);
  const map: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const mine = names.filter((_, i) => i % shards === shard);
    const file = shards === 1 ? "model.safetensors" : `model-${shard + 1}-of-${shards}.safetensors`;
    const listed = mine.map(
      (name) => ({ name, dtype: "F32", shape: store.type(name).shape }) as const,
    );
    const others =
      shard > 0 ? [] : extra.map((name) => ({ name, dtype: "F32", shape: [2] }) as const);
    const chunks = [encodeHeader([...listed, ...others])];
    for (const name of mine)
      chunks.push(encodeTensor((await store.read(name)) as Float32Array, "F32"));
    for (const _ of others) chunks.push(new Uint8Array(8));
    await writeFile(join(folder, file), Buffer.concat(chunks));
    for (const name of mine) map[name] = file;
  }
  if (shards > 1)
    await writeFile(
      join(folder, "model.safetensors.index.json"),
      JSON.stringify({ weight_map: map }),
    );
  await writeFile(join(folder, "config.json"), JSON.stringify(toHfConfig(config)));
  return { folder, store };
}

for (const shards of [1, 3])
  test(`a folder from elsewhere loads from ${shards} file(s)`, async (t) => {
    const { folder, store } = await foreignFolder(t, shards);
    const checkpoint = await loadCheckpoint(folder);
    assert.equal(checkpoint.training, undefined);
    const loaded = createReferenceBackend().createStore();
    await checkpoint.loadParameters(loaded);
    for (const { name } of parameterSpecs(config))
      assert.deepEqual(await loaded.read(name), await store.read(name));
  });

test("a folder from elsewhere that does not fit is refused", async (t) => {
  const load = async (folder: string): Promise<void> =>
    (await loadCheckpoint(folder)).loadParameters(createReferenceBackend().createStore());
  const refused = (folder: string, message: RegExp): Promise<void> =>
    assert.rejects(load(folder), { code: "CHECKPOINT", message });
  const missing = await foreignFolder(t, 1, "lm_head.weight");
  await refused(missing.folder, /lm_head\.weight \[30,8\] must be there, got none/);
  const extra = await foreignFolder(t, 1, "", ["model.layers.0.self_attn.q_proj.bias"]);
  await refused(extra.folder, /must have a place, got .*q_proj\.bias/);
  const table = await foreignFolder(t, 1, "", ["model.layers.0.self_attn.rotary_emb.inv_freq"]);
  await load(table.folder);
  const { folder } = await foreignFolder(t, 2);
  await writeFile(join(folder, "config.json"), JSON.stringify(toHfConfig({ ...config, nFfn: 12 })));
  await refused(folder, /gate_proj\.weight must be \[12,8\], got \[16,8\]/);
  await writeFile(
    join(folder, "model.safetensors.index.json"),
    '{"weight_map":{"a":"../../etc/passwd"}}',
  );
  await refused(folder, /shards must lie in the folder/);
  await writeFile(join(folder, "config.json"), "not json");
  await refused(folder, /config\.json: must be JSON/);
  await refused(join(folder, "none"), /config\.json: file must exist/);
  await assert.rejects(findCheckpoint(join(folder, "none")), { code: "CHECKPOINT" });
});

test("optimizer states of another optimizer are refused", async (t) => {
  const checkpoint = await loadCheckpoint(await save(await folderFor(t), 1));
  const store = createReferenceBackend().createStore();
  await assert.rejects(
    checkpoint.loadOptimizer(store, optimizerState(parameterSpecs(config), "muon")),
    {
      code: "CHECKPOINT",
      message: /muon\.momentum\..* must be there, got none/,
    },
  );
});

/** Mounts a small file system, or says why it cannot. */
async function mountTmpfs(t: TestContext, options: string): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "nutshell-checkpoint-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]);
  t.after(() => {
    if (mounted.status === 0) spawnSync("umount", ["-l", folder]);
    return rm(folder, { recursive: true });
  });
  return mounted.status === 0 ? folder : undefined;
}

test("disk full: DISK, the last good checkpoint intact, nothing left behind", async (t) => {
  const run = await mountTmpfs(t, "size=48k");
  if (run === undefined) return t.skip("mounting a small tmpfs is not permitted");
  const good = await save(run, 1);
  assert.ok(statSync(join(good, "model.safetensors")).size > 4000);
  await assert.rejects(save(run, 2), (error: Error & { code: string }) => {
    assert.equal(error.code, "DISK");
    assert.match(error.message, /ENOSPC: the disk is full.*step-00000001 is intact/);
    return true;
  });
  assert.deepEqual(readdirSync(run), ["step-00000001"]);
  assert.deepEqual(await latestGoodCheckpoint(run), { folder: good, skipped: [] });
});

test("read-only disk, or a file in the way: DISK", async (t) => {
  const folder = await folderFor(t);
  await writeFile(join(folder, "file"), "");
  await assert.rejects(save(join(folder, "file", "run"), 1), { code: "DISK", message: /ENOTDIR/ });
  const run = await mountTmpfs(t, "size=1m");
  if (run === undefined) return t.skip("mounting a small tmpfs is not permitted");
  await mkdir(join(run, "r"));
  assert.equal(spawnSync("mount", ["-o", "remount,ro", run]).status, 0);
  await assert.rejects(save(join(run, "r"), 1), { code: "DISK", message: /EROFS.*read-only/ });
});
