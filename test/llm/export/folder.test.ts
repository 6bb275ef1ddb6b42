/** Hugging Face folders out and in: every bit, every refusal, and nothing lost when it goes wrong. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { openExportModel } from "../../../src/llm/export/export-model.node.ts";
import { type ExportRequest, prepareExport } from "../../../src/llm/export/formats.node.ts";
import { importFolder } from "../../../src/llm/export/import-folder.node.ts";
import { loadCheckpoint } from "../../../src/llm/model/checkpoint.node.ts";
import { parameterSpecs } from "../../../src/llm/model/parameters.ts";
import { encodeHeader, encodeTensor } from "../../../src/llm/model/safetensors.ts";
import { fromCharacters } from "../../../src/llm/tokenizer/character.ts";
import { toTokenizerJson } from "../../../src/llm/tokenizer/tokenizer-json.ts";
import { saveTinyModel } from "./tiny-model.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-folder-"));
after(() => rmSync(folder, { recursive: true }));

let count = 0;
const fresh = (): string => join(folder, `out-${count++}`);
const OPTIONS = { force: false } as const;
const source = await saveTinyModel(join(folder, "source"));

async function write(path: string, request: Partial<ExportRequest> = {}): Promise<string> {
  const out = fresh();
  const full = { to: "safetensors", format: undefined, cache: false, ...request } as const;
  await prepareExport(await openExportModel(path), full).write(out, OPTIONS);
  return out;
}

/** A foreign folder, changed in one place. */
async function changed(change: (at: string) => void | Promise<void>): Promise<string> {
  const at = await write(source);
  await change(at);
  return at;
}

function editJson(path: string, edit: (json: Record<string, unknown>) => object): void {
  writeFileSync(path, JSON.stringify(edit(JSON.parse(readFileSync(path, "utf8")))));
}

async function assertSameModel(a: string, b: string): Promise<void> {
  const [first, second] = [await openExportModel(a), await openExportModel(b)];
  assert.deepEqual(first.config, second.config);
  for (const { name } of parameterSpecs(first.config)) {
    const [x, y] = [await first.read(name), await second.read(name)];
    assert.ok(Buffer.from(x.buffer).equals(Buffer.from(y.buffer)), name);
  }
}

for (const dtype of ["F32", "BF16", "Q8_0"] as const) {
  test(`a checkpoint of ${dtype} goes out and comes back with every bit`, async () => {
    const changes = { qkNorm: true, tiedEmbeddings: true };
    const path = await saveTinyModel(join(folder, dtype), changes, undefined, dtype);
    const out = await write(path);
    const back = fresh();
    await importFolder(out, back, OPTIONS);
    await assertSameModel(path, back);
    const weights = [out, back].map((at) => readFileSync(join(at, "model.safetensors")));
    assert.ok((weights[0] as Buffer).equals(weights[1] as Buffer));
    await loadCheckpoint(back);
    assert.ok(existsSync(join(back, "manifest.json")));
    assert.match(readFileSync(join(back, "tokenizer_config.json"), "utf8"), /chat_template/);
  });
}

test("the config tells other programs what they need", async () => {
  const at = await write(source, { format: "f16" });
  const config = JSON.parse(readFileSync(join(at, "config.json"), "utf8"));
  assert.deepEqual(config.architectures, ["LlamaForCausalLM"]);
  assert.equal(config.torch_dtype, "float16");
  const { tokenizer } = await openExportModel(source);
  assert.equal(config.bos_token_id, tokenizer.bos);
  assert.equal(config.eos_token_id, tokenizer.special("<|assistant_end|>"));
});

test("narrow exports are rounded to nearest", async () => {
  const exact = await (await openExportModel(source)).read("lm_head.weight");
  for (const [format, bits] of [
    ["bf16", 8],
    ["f16", 11],
  ] as const) {
    const narrow = await (await openExportModel(await write(source, { format }))).read(
      "lm_head.weight",
    );
    for (const [i, x] of exact.entries())
      assert.ok(Math.abs((narrow[i] as number) - x) <= Math.abs(x) * 2 ** -bits + 2 ** -25);
  }
});

test("shards, a repeated tied head and rotary tables come in as one file", async () => {
  const tied = await saveTinyModel(join(folder, "tied"), { tiedEmbeddings: true });
  const model = await openExportModel(tied);
  const at = await write(tied);
  rmSync(join(at, "model.safetensors"));
  const weight_map: Record<string, string> = {};
  const specs = parameterSpecs(model.config);
  const spare = [
    { name: "lm_head.weight", shape: [512, 64] },
    { name: "model.layers.0.self_attn.rotary_emb.inv_freq", shape: [16] },
  ];
  for (const [part, list] of [specs.slice(0, 9), [...specs.slice(9), ...spare]].entries()) {
    const file = `model-0000${part + 1}-of-00002.safetensors`;
    const tensors = list.map(({ name, shape }) => ({ name, shape, dtype: "F32" as const }));
    const bytes = [encodeHeader(tensors)];
    for (const { name, shape } of list) {
      weight_map[name] = file;
      const isSpare = spare.some((one) => one.name === name);
      const size = shape.reduce((a, b) => a * b, 1);
      bytes.push(encodeTensor(isSpare ? new Float32Array(size) : await model.read(name), "F32"));
    }
    writeFileSync(join(at, file), Buffer.concat(bytes));
  }
  writeFileSync(join(at, "model.safetensors.index.json"), JSON.stringify({ weight_map }));
  const back = fresh();
  await importFolder(at, back, OPTIONS);
  await assertSameModel(tied, back);
});

interface Refusal {
  readonly what: string;
  readonly change: (at: string) => void;
  readonly code: string;
  readonly message: RegExp;
}

const config =
  (edit: (json: Record<string, unknown>) => object) =>
  (at: string): void =>
    editJson(join(at, "config.json"), edit);

const tokenizer =
  (edit: (json: Record<string, unknown>) => object) =>
  (at: string): void =>
    editJson(join(at, "tokenizer.json"), edit);

const refusals: readonly Refusal[] = [
  {
    what: "another architecture",
    change: config((json) => ({ ...json, architectures: ["GemmaForCausalLM"] })),
    code: "CONFIG",
    message: /LlamaForCausalLM.*GemmaForCausalLM/,
  },
  {
    what: "Llama 3's scaled positions",
    change: config((json) => ({ ...json, rope_scaling: { rope_type: "llama3", factor: 8 } })),
    code: "CONFIG",
    message: /rope_scaling.*llama3/,
  },
  {
    what: "scaled positions of older files",
    change: config((json) => ({ ...json, rope_scaling: { type: "linear", factor: 2 } })),
    code: "CONFIG",
    message: /rope_scaling.*linear/,
  },
  {
    what: "biases, by the config",
    change: config((json) => ({ ...json, attention_bias: true })),
    code: "CONFIG",
    message: /attention_bias/,
  },
  {
    what: "biases, by the tensors",
    change: (at) => {
      const tensors = [
        { name: "model.layers.0.self_attn.q_proj.bias", dtype: "F32", shape: [1] },
      ] as const;
      writeFileSync(
        join(at, "model.safetensors"),
        Buffer.concat([encodeHeader(tensors), Buffer.alloc(4)]),
      );
    },
    code: "CONFIG",
    message: /no bias, got model\.layers\.0\.self_attn\.q_proj\.bias/,
  },
  {
    what: "other weights than the config says",
    change: config((json) => ({ ...json, num_hidden_layers: 1 })),
    code: "CHECKPOINT",
    message: /model\.layers\.1\.\S+ too/,
  },
  {
    what: "a tokenizer of SentencePiece",
    change: (at) => renameSync(join(at, "tokenizer.json"), join(at, "tokenizer.model")),
    code: "TOKENIZER",
    message: /SentencePiece/,
  },
  {
    what: "a unigram tokenizer",
    change: tokenizer((json) => ({ ...json, model: { type: "Unigram", vocab: [["a", 0]] } })),
    code: "TOKENIZER",
    message: /Unigram/,
  },
  {
    what: "a folder without a tokenizer",
    change: (at) => rmSync(join(at, "tokenizer.json")),
    code: "CHECKPOINT",
    message: /tokenizer\.json: file must exist/,
  },
  {
    what: "a torn weights file",
    change: (at) => truncateSync(join(at, "model.safetensors"), 5000),
    code: "CHECKPOINT",
    message: /model\.safetensors/,
  },
  {
    what: "a folder without a config",
    change: (at) => rmSync(join(at, "config.json")),
    code: "CHECKPOINT",
    message: /config\.json: file must exist/,
  },
];

for (const { what, change, code, message } of refusals) {
  test(`import refuses ${what}, and writes nothing`, async () => {
    const out = fresh();
    await assert.rejects(importFolder(await changed(change), out, OPTIONS), { code, message });
    assert.equal(existsSync(out), false);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith(".torn")),
      [],
    );
  });
}

test("an output that exists is refused; force replaces a model and nothing else", async () => {
  const out = await write(source);
  const before = readFileSync(join(out, "config.json"));
  const prepared = prepareExport(await openExportModel(source), {
    to: "safetensors",
    format: "bf16",
    cache: false,
  });
  await assert.rejects(prepared.write(out, OPTIONS), { code: "CONFIG", message: /--force/ });
  assert.ok(readFileSync(join(out, "config.json")).equals(before));
  await prepared.write(out, { force: true });
  assert.match(readFileSync(join(out, "config.json"), "utf8"), /bfloat16/);
  const precious = fresh();
  mkdirSync(precious);
  writeFileSync(join(precious, "diary.txt"), "dear diary");
  await assert.rejects(prepared.write(precious, { force: true }), { message: /diary\.txt/ });
  assert.equal(readFileSync(join(precious, "diary.txt"), "utf8"), "dear diary");
  await assert.rejects(prepared.write(join(out, "config.json"), { force: true }), {
    code: "CONFIG",
    message: /must be a folder/,
  });
});

test("a failure on the way leaves the earlier export and nothing half-written", async () => {
  const out = await write(source);
  const model = await openExportModel(source);
  const torn = { ...model, read: () => Promise.reject(new Error("the disk is gone")) };
  const request = { to: "safetensors", format: "bf16", cache: false } as const;
  const broken = prepareExport(torn, request).write(out, { force: true });
  await assert.rejects(broken, /the disk is gone/);
  await assertSameModel(source, out);
  const stopped = new AbortController();
  const abort = { force: true, signal: stopped.signal, onBytes: () => stopped.abort("enough") };
  await assert.rejects(
    prepareExport(model, request).write(out, abort),
    (error) => error === "enough",
  );
  await assertSameModel(source, out);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith(".torn")),
    [],
  );
});

const limits = process.platform === "win32" && "no limit on a file's size";

test("a disk that refuses is said as such, and nothing is lost", { skip: limits }, async () => {
  const out = join(fresh(), "model.gguf");
  const main = new URL("../../../src/cli/main.ts", import.meta.url).pathname;
  const command = `ulimit -f 100; trap "" XFSZ; exec "$0" "$@"`;
  const args = [main, "export", "--model", source, "--to", "gguf", "--out", out];
  const { status, stderr } = spawnSync("bash", ["-c", command, process.execPath, ...args]);
  assert.equal(status, 1);
  assert.match(stderr.toString(), /^DISK .*EFBIG: .*Nothing was changed/m);
  assert.deepEqual(readdirSync(dirname(out)), []);
  const model = await openExportModel(source);
  const prepared = prepareExport(model, { to: "gguf", format: "f32", cache: false });
  const inFile = join(source, "config.json", "model.gguf");
  await assert.rejects(prepared.write(inFile, OPTIONS), { code: "DISK", message: /a file/ });
});

test("formats refuse weights that they do not have, and models that they cannot hold", async () => {
  const model = await openExportModel(source);
  const rows: readonly [ExportRequest, RegExp][] = [
    [{ to: "onnx", format: "q8_0", cache: false }, /f32, bf16, f16, got q8_0/],
    [{ to: "c", format: "f16", cache: false }, /f32, bf16, q8_0, got f16/],
    [{ to: "safetensors", format: "q4_0", cache: false }, /f32, bf16, f16, q8_0, got q4_0/],
    [{ to: "gguf", format: "f32", cache: true }, /--kv-cache/],
  ];
  for (const [request, message] of rows)
    assert.throws(() => prepareExport(model, request), { code: "UNSUPPORTED", message });
  const odd = await openExportModel(await saveTinyModel(join(folder, "odd"), { nEmbd: 48 }));
  assert.throws(() => prepareExport(odd, { to: "c", format: "q8_0", cache: false }), {
    code: "UNSUPPORTED",
    message: /embed_tokens.*\[512,48\]/,
  });
  const spelled = await changed((at) => {
    const characters = fromCharacters([..."abcdefgh"]);
    writeFileSync(join(at, "tokenizer.json"), toTokenizerJson(characters));
    rmSync(join(at, "tokenizer_config.json"));
  });
  const byCharacter = await openExportModel(spelled);
  for (const to of ["gguf", "c"] as const)
    assert.throws(() => prepareExport(byCharacter, { to, format: "f32", cache: false }), {
      code: "UNSUPPORTED",
      message: /single characters/,
    });
});

test("the commands: a result as JSON, a missing flag with an example", () => {
  const main = new URL("../../../src/cli/main.ts", import.meta.url).pathname;
  const run = (...args: readonly string[]): { status: number | null; out: string; err: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args]);
    return { status, out: stdout.toString(), err: stderr.toString() };
  };
  const out = fresh();
  const exported = run("export", "--model", source, "--to", "safetensors", "--out", out, "--json");
  assert.equal(exported.status, 0, exported.err);
  assert.equal(JSON.parse(exported.out).out, out);
  const back = fresh();
  const imported = run("import", out, "--out", back, "--json");
  assert.equal(imported.status, 0, imported.err);
  assert.equal(JSON.parse(imported.out).context, 96);
  assert.deepEqual([run("export", "--model", source).status, run("import", out).status], [2, 2]);
  assert.match(run("export", "--model", source).err, /--out.*Try: nutshell export/);
});

test("a reward model is no language model", async () => {
  const scored = await changed((at) => {
    const tensors = [{ name: "score.weight", dtype: "F32", shape: [1] }] as const;
    writeFileSync(
      join(at, "model.safetensors"),
      Buffer.concat([encodeHeader(tensors), Buffer.alloc(4)]),
    );
  });
  await assert.rejects(openExportModel(scored), { code: "CHECKPOINT", message: /reward model/ });
});
