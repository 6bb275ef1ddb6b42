/**
 * Rewards of texts: as the whole network says row by row, whatever else is in the batch, and the
 * same from a checkpoint.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { chooseBackend } from "../../../src/compute/backends/choose.node.ts";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { input } from "../../../src/compute/graph.ts";
import { fillUniform } from "../../../src/compute/philox.ts";
import { openRewardModel } from "../../../src/llm/inference/open-reward-model.node.ts";
import { createRewardScorer } from "../../../src/llm/inference/score.ts";
import { loadCheckpoint, saveCheckpoint } from "../../../src/llm/model/checkpoint.node.ts";
import type { ModelConfig } from "../../../src/llm/model/config.ts";
import { initialise } from "../../../src/llm/model/parameters.ts";
import {
  initialiseScalarHead,
  rewardModelSpecs,
  scalarHead,
  scalarHeadParameters,
} from "../../../src/llm/model/scalar-head.ts";
import { hiddenStates, modelParameters } from "../../../src/llm/model/transformer.ts";
import { toTokenizerJson } from "../../../src/llm/tokenizer/tokenizer-json.ts";
import { assertClose } from "../../compute/close.ts";
import { chatTokenizer } from "../chat/tokenizer.ts";

const config: ModelConfig = {
  ...{ vocabSize: chatTokenizer.vocabSize, sequenceLen: 80, nLayer: 2, nHead: 4, nKvHead: 2 },
  ...{ nEmbd: 32, headDim: 8, nFfn: 48, ropeBase: 10000, normEps: 1e-5 },
  ...{ qkNorm: false, tiedEmbeddings: false },
};
const folder = mkdtempSync(join(tmpdir(), "nutshell-score-"));
const backend = await chooseBackend("auto", {}, () => {});
const store = backend.createStore();
await initialise(store, config, 7);
await initialiseScalarHead(store, config, 7);
await store.write("score.bias", Float32Array.of(0.25));
after(() => {
  store.dispose();
  backend.dispose();
  rmSync(folder, { recursive: true });
});

function randomRow(length: number, seed: number): number[] {
  const uniforms = new Float64Array(length);
  fillUniform(uniforms, seed, 1);
  return [...uniforms].map((u) => Math.floor(u * config.vocabSize));
}

const rows = [2, 80, 17, 1, 5, 16, 20, 40, 21, 60, 18].map(randomRow);
const options = { B: 3, T: 80, precision: "f32" } as const;

async function scoresOf(some: readonly number[][], more = {}): Promise<Float32Array> {
  const scorer = createRewardScorer(backend, store, config, { ...options, ...more });
  const found = await scorer.score(some);
  await scorer.dispose();
  return found;
}

/** The reference network over one row alone, without padding: its value at the last position. */
async function rewardByHand(row: readonly number[]): Promise<number> {
  const oracle = createReferenceBackend({ precision: "f64" });
  const own = oracle.createStore();
  for (const { name, shape } of rewardModelSpecs(config)) {
    own.define(name, { shape, dtype: "f32" });
    await own.write(name, await store.read(name));
  }
  const params = new Map([...modelParameters(config), ...scalarHeadParameters(config)]);
  const ids = input("ids", [1, row.length], "i32");
  const { hidden } = hiddenStates(config, params, ids, { precision: "f32" });
  const outputs = { values: scalarHead(params, hidden) };
  const program = await oracle.compile({ outputs }, own);
  const { values } = await program.run({ ids: Int32Array.from(row) });
  return values?.at(-1) as number;
}

test("each reward is the network's value at the row's own last token", async () => {
  const found = await scoresOf(rows);
  const expected = await Promise.all(rows.map(rewardByHand));
  assertClose("rewards", found, expected, 2e-5);
  assert.ok(new Set(expected.map((reward) => reward.toFixed(3))).size > 8, "rewards differ");
});

test("neighbours, order and padding change no bit", async () => {
  const together = await scoresOf(rows);
  const reversed = (await scoresOf(rows.toReversed())).toReversed();
  assert.deepEqual(reversed, together);
  for (const [i, row] of rows.entries())
    assert.deepEqual(await scoresOf([row]), together.slice(i, i + 1));
});

test("the scale shifts and divides", async () => {
  const plain = await scoresOf(rows);
  const scaled = await scoresOf(rows, { scale: { mean: 2, std: 4 } });
  assertClose(
    "scaled",
    scaled,
    plain.map((reward) => (reward - 2) / 4),
    1e-6,
  );
});

test("rows that cannot be scored are refused", async () => {
  for (const row of [[], randomRow(81, 1), [config.vocabSize], [-1], [0.5]])
    await assert.rejects(scoresOf([row]), { code: "CONFIG" });
  assert.deepEqual(await scoresOf([]), new Float32Array(0));
});

test("a model whose weights are not finite is said to have diverged", async () => {
  const broken = createReferenceBackend();
  const own = broken.createStore();
  await initialise(own, config, 7);
  await initialiseScalarHead(own, config, 7);
  await own.write("score.bias", Float32Array.of(Number.NaN));
  const scorer = createRewardScorer(broken, own, config, options);
  await assert.rejects(scorer.score([[1, 2]]), {
    code: "DIVERGED",
    message: /reward: every reward must be finite, got NaN\./,
  });
  await scorer.dispose();
});

test("a checkpoint gives the same bits, in Hugging Face's names", async () => {
  const specs = rewardModelSpecs(config);
  const texts = {
    "tokenizer.json": toTokenizerJson(chatTokenizer),
    "reward.json": JSON.stringify({ mean: 0.5, std: 2 }),
  };
  const saved = await saveCheckpoint(folder, { step: 1, config, store, texts, specs });
  const json = JSON.parse(readFileSync(join(saved, "config.json"), "utf8"));
  assert.deepEqual(json.architectures, ["LlamaForSequenceClassification"]);
  assert.deepEqual(Object.keys(json.id2label), ["0"]);
  const precision = backend.description.includes("bf16") ? "bf16" : "f32";
  const direct = await scoresOf(rows, { precision, scale: { mean: 0.5, std: 2 } });
  const opened = await openRewardModel(folder, backend, options.B);
  assert.deepEqual(await opened.score(rows), direct);
  assert.deepEqual([opened.scale, opened.longest], [{ mean: 0.5, std: 2 }, 80]);
  await opened.dispose();
  const asLanguageModel = await loadCheckpoint(saved);
  await assert.rejects(asLanguageModel.loadParameters(backend.createStore()), {
    code: "CHECKPOINT",
    message: /lm_head\.weight.*got none/,
  });
});

test("two heads live in one store under their prefixes", async () => {
  const own = createReferenceBackend().createStore();
  await initialiseScalarHead(own, config, 1);
  await initialiseScalarHead(own, config, 1, "value.");
  assert.deepEqual(own.names().sort(), [
    "score.bias",
    "score.weight",
    "value.score.bias",
    "value.score.weight",
  ]);
});

test("a new head is N(0, 1 / (C + 1)) with bias 0", async () => {
  const own = createReferenceBackend().createStore();
  await initialiseScalarHead(own, { ...config, nEmbd: 8191 }, 3);
  const weight = (await own.read("score.weight")) as Float32Array;
  const variance = weight.reduce((total, w) => total + w * w, 0) / weight.length;
  // The standard error of a variance of n normals is sqrt(2 / n): 1.6 %.
  assert.ok(Math.abs(variance * 8192 - 1) < 0.06, String(variance * 8192));
  assert.deepEqual([...(await own.read("score.bias"))], [0]);
});
