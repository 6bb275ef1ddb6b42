/** The stage on a small real model: what it learns, what it leaves, and where it goes on. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { createChat } from "../../../src/llm/chat/converse.ts";
import { createGenerator } from "../../../src/llm/inference/generator.ts";
import { parameterSpecs } from "../../../src/llm/model/parameters.ts";
import { latestGoodCheckpoint } from "../../../src/llm/model/run-folder.node.ts";
import { readTensor, readTensorIndex } from "../../../src/llm/model/tensor-file.node.ts";
import { hashArrays } from "../../../src/llm/run/metrics.node.ts";
import { openModel } from "../../../src/llm/run/open-model.node.ts";
import type { Talk } from "../../../src/llm/run/talk.ts";
import type { SftConfig } from "../../../src/llm/sft/config.ts";
import { sft } from "../../../src/llm/sft/sft.node.ts";
import { assertClose } from "../../compute/close.ts";
import { prepareTexts, textsOf, tokenizer as textTokenizer } from "../data/shards/made-up.ts";
import { saveSmallModel, silent, smallConfig, smallSft, writeQuestions } from "./small-model.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-sft-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const model = await saveSmallModel(join(folder, "base"));
// A base model with the text that it was trained on beside it.
const told = await saveSmallModel(join(folder, "told"), 1, textTokenizer);
await prepareTexts(join(folder, "told", "data"), [
  { name: "cats", texts: textsOf(1, 400) },
  { name: "more", texts: textsOf(2, 100) },
]);
const outOf = (name: string): string => join(folder, name);
const never = new AbortController().signal;

function train(name: string, values: Partial<SftConfig> = {}, talk: Talk = silent, signal = never) {
  return sft(smallSft({ model, out: outOf(name), ...values }), talk, signal);
}

async function weightsOf(run: string): Promise<Map<string, Float32Array>> {
  const { folder: checkpoint } = await latestGoodCheckpoint(outOf(run));
  const files = ["model.safetensors", "training/optimizer.safetensors"];
  const found = await Promise.all(files.map((file) => readTensorIndex(`${checkpoint}/${file}`)));
  const tensors = found.flat().map(async (t) => [t.name, await readTensor(t)] as const);
  return new Map(await Promise.all(tensors));
}

/** Weights and optimizer state as hashes: a difference of whole arrays takes gigabytes to print. */
async function digestsOf(run: string): Promise<Record<string, string>> {
  const found = [...(await weightsOf(run))].map(([name, data]) => [name, hashArrays([data])]);
  return Object.fromEntries(found);
}

/** Rows of `metrics.jsonl` without the clock. */
function metricsOf(run: string): Record<string, unknown>[] {
  const lines = readFileSync(join(outOf(run), "metrics.jsonl"), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => ({ ...JSON.parse(line), ms: undefined }));
}

test("one question is learned by heart", async () => {
  const data = writeQuestions(outOf("one.jsonl"), [["Who made me?", "Seven owls did."]]);
  const rates = { lr: 0.02, steps: 60, batchSize: 1, warmup: 5, evalEvery: 1000 };
  const result = await train("one", {
    data,
    conversations: undefined,
    ...rates,
    mixture: undefined,
  });
  assert.ok((result.loss as number) < 0.05, `loss ${result.loss}`);
  const opened = await openModel(outOf("one"));
  const backend = createReferenceBackend();
  const store = backend.createStore();
  await opened.checkpoint.loadParameters(store);
  const generator = createGenerator(backend, store, smallConfig, { precision: "f32" });
  const world = { now: new Date(0), files: {} };
  const chat = createChat(generator, opened.tokenizer, { world: () => world });
  const said = chat.say("Who made me?", { temperature: 0, seed: 0, maxTokens: 30 });
  let last = await said.next();
  while (!last.done) last = await said.next();
  assert.deepEqual(last.value.messages, [{ role: "assistant", content: "Seven owls did." }]);
  assert.ok(last.value.wellFormed);
});

test("a run leaves a checkpoint for others, a card, a curve and a loss by source", async () => {
  const result = await train("left", { sampleEvery: 4 });
  const read = (name: string): string =>
    readFileSync(join(result.checkpoint as string, name), "utf8");
  const marks = JSON.parse(read("generation_config.json"));
  assert.deepEqual([marks.bos_token_id, marks.eos_token_id], [256, 262]);
  assert.match(JSON.parse(read("tokenizer_config.json")).chat_template, /assistant_start/);
  const card = read("card.md");
  assert.match(card, /\| smalltalk \| 20 \| .* longer than a row \| Apache-2\.0/);
  assert.match(card, /loss on the assistant's turns alone.*neighbours in a row seeing one another/);
  assert.match(card, /What is 24 \* 78\?/);
  assert.ok(existsSync(result.curve) && existsSync(join(outOf("left"), "card.md")));
  const evals = metricsOf("left").filter((row) => "valLoss" in row);
  assert.deepEqual(
    evals.map(({ step }) => step),
    [0, 4],
  );
  assert.deepEqual(Object.keys(evals[0]?.sources as object), ["smalltalk", "direct"]);
  assert.ok((result.val_loss as number) < (result.val_loss_before as number));
});

test("batch 1 accumulated 8 times is batch 8", async () => {
  const values = { steps: 3, optimizer: "muon", evalEvery: 1000 } as const;
  const whole = await train("whole", { ...values, batchSize: 8, gradAccumSteps: 1 });
  const cut = await train("cut", { ...values, batchSize: 1, gradAccumSteps: 8 });
  assert.equal(cut.learned_tokens, whole.learned_tokens);
  assert.ok(Math.abs((cut.loss as number) / (whole.loss as number) - 1) < 1e-5);
  const [a, b] = [await weightsOf("whole"), await weightsOf("cut")];
  for (const { name } of parameterSpecs(smallConfig))
    assertClose(name, b.get(name) as Float32Array, a.get(name) as Float32Array, 1e-3);
});

for (const [name, values] of [
  ["all", { optimizer: "muon" }],
  ["updates", { loraRank: 2 }],
  ["text", { model: told, textShare: 0.4 }],
] as const)
  test(`stopped at any step and started again, a run ends with the same bits: ${name}`, async () => {
    const every = { ...values, steps: 6, evalEvery: 2, sampleEvery: 3 };
    await train(`${name}-alone`, every);
    // After step 3 samples are due, after step 4 a measurement.
    for (const stop of [1, 3, 4]) {
      const stopping = new AbortController();
      const talk = { ...silent, say: (line: string) => void stopAt(line, stop, stopping) };
      const stopped = await train(`${name}-stopped`, every, talk, stopping.signal);
      assert.equal(stopped.step, stop);
      assert.equal(stopped.stopped, true);
    }
    const said: string[] = [];
    await train(`${name}-stopped`, every, { ...silent, say: (line) => void said.push(line) });
    assert.ok(said.some((line) => line.includes("after step 4 of 6")));
    assert.deepEqual(await digestsOf(`${name}-stopped`), await digestsOf(`${name}-alone`));
    assert.deepEqual(metricsOf(`${name}-stopped`), metricsOf(`${name}-alone`));
  });

test("rows of text: foretold better where they are learned, and said in result and card", async () => {
  const values = { model: told, steps: 30, evalEvery: 30, warmup: 0, batchSize: 2 } as const;
  const without = await train("text-none", { ...values, textShare: 0 });
  assert.equal(without.val_bpb, undefined);
  const half = await train("text-half", { ...values, textShare: 0.5 });
  assert.ok((half.val_bpb as number) < 0.8 * (half.val_bpb_before as number));
  const near = (a: number | undefined, b: number) => assert.ok(Math.abs((a as number) - b) < 1e-9);
  near(
    half.data.reduce((sum, { share }) => sum + share, 0),
    1,
  );
  const text = half.data.filter(({ name }) => name.startsWith("text: "));
  assert.deepEqual(
    text.map(({ name }) => name),
    ["text: cats", "text: more"],
  );
  near(
    text.reduce((sum, { share }) => sum + share, 0),
    0.5,
  );
  assert.match(
    readFileSync(join(outOf("text-half"), "card.md"), "utf8"),
    /50\.0 % of the rows are text/,
  );
});

test("a run with text does not go on with other text", async () => {
  const other = join(folder, "other-text");
  await prepareTexts(other, [{ name: "cats", texts: textsOf(3, 300) }]);
  const values = {
    model: told,
    textShare: 0.4,
    steps: 6,
    evalEvery: 2,
    optimizer: "adamw",
  } as const;
  await assert.rejects(train("text-alone", { ...values, sampleEvery: 3, text: other }), {
    code: "DATA",
    message: /must read the text that it began with/,
  });
});

function stopAt(line: string, step: number, stopping: AbortController): void {
  if (new RegExp(`^step 0*${step}/`).test(line)) stopping.abort();
}

test("low-rank updates move nothing but their matrices, and leave PEFT's files", async () => {
  // Stopped between two measurements, so that saving itself has to add the updates.
  const values = { loraRank: 2, loraTargets: "q,down", steps: 3, lr: 0.02 };
  const stopping = new AbortController();
  const talk = { ...silent, say: (line: string) => void stopAt(line, 2, stopping) };
  const result = await train("lora", values, talk, stopping.signal);
  assert.equal(result.trained_parameters, 2 * (32 + 32) + 2 * (32 + 64));
  const trained = await weightsOf("lora");
  const base = new Map<string, Float32Array>();
  for (const tensor of await readTensorIndex(`${model}/model.safetensors`))
    base.set(tensor.name, await readTensor(tensor));
  const adapter = new Map<string, Float32Array>();
  for (const tensor of await readTensorIndex(`${outOf("lora")}/adapter/adapter_model.safetensors`))
    adapter.set(tensor.name, await readTensor(tensor));
  assert.equal(adapter.size, 4);
  for (const [name, weights] of base) {
    const moved = /q_proj|down_proj/.test(name);
    const same = weights.every((x, i) => x === trained.get(name)?.[i]);
    assert.equal(same, !moved, name);
    if (moved) assertMerged(name, weights, adapter, trained.get(name) as Float32Array);
  }
  const settings = readFileSync(join(outOf("lora"), "adapter", "adapter_config.json"), "utf8");
  assert.equal(JSON.parse(settings).lora_alpha, 4);
});

/** What was saved is W + (alpha / r) · B·A of the adapter's files. */
function assertMerged(
  name: string,
  base: Float32Array,
  adapter: ReadonlyMap<string, Float32Array>,
  saved: Float32Array,
): void {
  const part = (which: string): Float32Array =>
    adapter.get(
      `base_model.model.${name.replace("weight", `lora_${which}.weight`)}`,
    ) as Float32Array;
  const [a, b] = [part("A"), part("B")];
  const inner = a.length / 2;
  const merged = base.map((w, at) => {
    const [i, j] = [Math.floor(at / inner), at % inner];
    const update =
      (b[2 * i] as number) * (a[j] as number) + (b[2 * i + 1] as number) * (a[inner + j] as number);
    return w + 2 * update;
  });
  assertClose(name, saved, merged, 1e-6);
}
