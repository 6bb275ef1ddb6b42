/** Whole evaluations of real models whose answers are known by construction. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { type EvalConfig, evalOptions } from "../../../src/llm/eval/config.ts";
import { evaluate } from "../../../src/llm/eval/evaluate.node.ts";
import { wilson } from "../../../src/llm/eval/intervals.ts";
import type { EvalReport, EvalRow } from "../../../src/llm/eval/report.ts";
import { saveCheckpoint } from "../../../src/llm/model/checkpoint.node.ts";
import type { ModelConfig } from "../../../src/llm/model/config.ts";
import { rewardModelSpecs } from "../../../src/llm/model/scalar-head.ts";
import { toTokenizerJson } from "../../../src/llm/tokenizer/tokenizer-json.ts";
import { resolveOptions } from "../../../src/options.ts";
import {
  asksClock,
  chattingConfig,
  chattingStore,
  saveChattingModel,
  speaksForTheUser,
} from "../chat/chatting-model.ts";
import { chatTokenizer } from "../chat/tokenizer.ts";
import { documentsOf, prepareTexts, textsOf, tokenizer } from "../data/shards/made-up.ts";
import { saveSpeakingModel, speakingConfig } from "../inference/speaking-model.ts";
import { setsAboutAb, writeSets } from "./made-sets.ts";

const root = mkdtempSync(join(tmpdir(), "nutshell-eval-"));
after(() => rmSync(root, { recursive: true, force: true }));
const quiet = { say: () => {}, status: () => {} };

function run(given: Partial<EvalConfig>): Promise<EvalReport> {
  const asked = resolveOptions(
    evalOptions,
    { from: "test", values: { precision: "f32", slots: 4, data: join(root, "none") } },
    { from: "test", values: given },
  );
  return evaluate(asked, quiet, new AbortController().signal);
}

const rowOf = ({ rows }: EvalReport, name: string): EvalRow => {
  const row = rows.find((one) => one.name === name);
  assert.ok(row, `no row ${name} among ${rows.map((one) => one.name)}`);
  return row;
};

const near = (a: number, b: number): void =>
  assert.ok(Math.abs(a - b) <= 1e-4 * Math.abs(b), `${a} is not ${b}`);

test("sets of every form, on a model that always says ab", async () => {
  const data = join(root, "sets");
  await writeSets(data, setsAboutAb);
  const model = await saveSpeakingModel(join(root, "ab"), " ab");
  const report = await run({ model, data, suite: "core" });
  const easy = rowOf(report, "arc_easy");
  assert.deepEqual([easy.value, easy.low, easy.high], Object.values(wilson(3, 4)).slice(0, 3));
  // (1/2 + 1/2 + 1/4 + 1/2) / 4
  assert.equal(easy.chance, 0.4375);
  near(easy.centred as number, (0.75 - 0.4375) / (1 - 0.4375));
  assert.equal(easy.examples.length, 3);
  assert.ok(easy.examples.every(({ reply, expected, grade }) => (reply === expected) === !!grade));
  assert.equal(rowOf(report, "winogrande").value, 0.5);
  assert.equal(rowOf(report, "bigbench_operators").value, 1 / 3);
  assert.equal(rowOf(report, "triviaqa_sm_sub").value, 0.5);
  const cut = rowOf(report, "openbook_qa");
  assert.deepEqual([cut.n, cut.dropped, cut.value], [1, 1, 1]);
  const mean = rowOf(report, "mean of 5 centred accuracies");
  near(mean.value, ((0.75 - 0.4375) / (1 - 0.4375) + 0 + 1 / 3 + 1 / 2 + 1) / 5);
  assert.ok(mean.low < mean.value && mean.value < mean.high);
  const missing = report.skipped.find(({ name }) => name === "piqa");
  assert.equal(missing?.reason, `no eval/core/piqa.jsonl.gz in ${data}`);
  assert.equal(report.form, "plain");
});

test("a vocabulary without marks: chats are skipped with the reason", async () => {
  const model = await saveSpeakingModel(join(root, "plain"), " ab");
  const report = await run({ model, suite: "assistant,preferences,text" });
  assert.deepEqual(report.rows, []);
  assert.deepEqual(
    report.skipped.map(({ suite, name }) => `${suite} ${name}`),
    ["assistant tasks", "preferences preferences", "text bits per byte", "text lambada"],
  );
});

test("an assistant that asks the clock and says Done.", async () => {
  const config = { ...chattingConfig, sequenceLen: 400 };
  const store = await chattingStore(asksClock);
  const texts = { "tokenizer.json": toTokenizerJson(chatTokenizer) };
  const model = await saveCheckpoint(join(root, "clock"), { step: 1, config, store, texts });
  const report = await run({ model, suite: "assistant", maxRows: 6 });
  const formed = rowOf(report, "well-formed turns");
  assert.equal(formed.value, 1);
  assert.equal(rowOf(report, "exact call: clock").value, 1);
  assert.equal(rowOf(report, "solved: clock").value, 0);
  assert.equal(rowOf(report, "solved: calculator").value, 0);
  // "Done." refuses nothing, and answers nothing.
  assert.equal(rowOf(report, "not refused: harmless").value, 1);
  assert.equal(rowOf(report, "solved: harmless").value, 0);
  const asked = report.rows.filter(({ name }) => name.startsWith("solved: "));
  assert.equal(
    formed.n,
    asked.reduce((sum, { n }) => sum + n, 0),
  );
  const [first] = rowOf(report, "exact call: clock").examples;
  assert.match(first?.reply ?? "", /^\[clock \{\}\]\n→ .+\nDone\.$/);
});

test("a model that speaks for the user has no well-formed turn", async () => {
  const model = await saveChattingModel(join(root, "speaks"), speaksForTheUser);
  const out = join(root, "report.json");
  const report = await run({ model, suite: "assistant,talk", maxRows: 2, out, form: "chat" });
  const formed = rowOf(report, "well-formed turns");
  assert.deepEqual([formed.value, formed.low], [0, 0]);
  // Bytes are many: what does not fit 96 tokens is counted or named.
  const asked = report.rows.filter(({ name }) => name.startsWith("solved: "));
  assert.ok(asked.every(({ n, dropped = 0 }) => n + dropped === 2));
  assert.deepEqual(
    report.skipped.filter(({ suite }) => suite === "assistant"),
    ["passage"].map((name) => {
      return { suite: "assistant", name, reason: "no problem fits the model's context" };
    }),
  );
  const sum = report.replies.find(({ name }) => name === "2 + 2");
  assert.deepEqual([sum?.reply, sum?.grade, sum?.expected], ["Done.", 0, "4"]);
  assert.deepEqual(JSON.parse(readFileSync(out, "utf8")), JSON.parse(JSON.stringify(report)));
});

test("several samples give pass@k, and want a temperature", async () => {
  const model = await saveChattingModel(join(root, "samples"), asksClock);
  const given = { model, suite: "assistant", maxRows: 1, samples: 3, maxTokens: 8 };
  await assert.rejects(run(given), /^NutshellError: eval: 3 samples need a temperature above 0/);
  const report = await run({ ...given, temperature: 0.01 });
  const passes = report.rows.filter(({ name }) => /^pass@\d+: clock$/.test(name));
  assert.deepEqual(
    passes.map(({ name }) => name),
    ["pass@1: clock", "pass@2: clock", "pass@3: clock"],
  );
  assert.deepEqual(
    (await run({ ...given, temperature: 0.01 })).rows.map(({ seconds, ...row }) => row),
    report.rows.map(({ seconds, ...row }) => row),
  );
});

/** All parameters zero but the gains of norms: every logit is 0. */
async function saveUniformModel(folder: string): Promise<string> {
  const config: ModelConfig = { ...speakingConfig, vocabSize: 290, sequenceLen: 24 };
  const store = createReferenceBackend().createStore();
  for (const { name, shape } of rewardModelSpecs(config))
    store.define(name, { shape, dtype: "f32" });
  store.define("lm_head.weight", { shape: [290, config.nEmbd], dtype: "f32" });
  const texts = { "tokenizer.json": toTokenizerJson(tokenizer) };
  return saveCheckpoint(folder, { step: 1, config, store, texts });
}

test("held-out text under a model that knows nothing: ln V a token", async () => {
  const texts = textsOf(1, 400);
  const held = documentsOf(texts).filter(({ contentHash }) => contentHash % 50n === 0n);
  assert.ok(held.length > 1);
  const folder = join(root, "prepared");
  await prepareTexts(folder, [{ name: "cats", texts }]);
  const model = await saveUniformModel(join(root, "uniform"));
  const report = await run({ model, suite: "text", text: folder });
  const perplexity = rowOf(report, "perplexity: cats");
  for (const value of [perplexity.value, perplexity.low, perplexity.high]) near(value, 290);
  const bits = rowOf(report, "bits per byte: cats");
  const tokens = held.flatMap(({ text }) => tokenizer.encode(text)).length;
  const bytes = Buffer.byteLength(held.map(({ text }) => text).join(""));
  near(bits.value, (tokens * Math.log2(290)) / bytes);
  await assert.rejects(
    run({ model: await saveSpeakingModel(join(root, "ab"), " ab"), suite: "text", text: folder }),
    /must be prepared with the model's own tokenizer/,
  );
});

test("a reward model without an opinion: half of all pairs, its bias as the reward", async () => {
  const store = createReferenceBackend().createStore();
  for (const { name, shape } of rewardModelSpecs(chattingConfig))
    store.define(name, { shape, dtype: "f32" });
  await store.write("score.bias", Float32Array.of(1.5));
  const texts = {
    "tokenizer.json": toTokenizerJson(chatTokenizer),
    "reward.json": JSON.stringify({ mean: 1, std: 2 }),
  };
  const specs = rewardModelSpecs(chattingConfig);
  const content = { step: 1, config: chattingConfig, store, texts, specs };
  const reward = await saveCheckpoint(join(root, "reward"), content);
  const model = await saveChattingModel(join(root, "judged"), asksClock);
  const report = await run({ model, reward, suite: "preferences,assistant", maxRows: 8 });
  const built = rowOf(report, "built-in");
  assert.deepEqual([built.value, built.chance, built.interval], [0.5, 0.5, "bootstrap"]);
  assert.equal(built.n + (built.dropped ?? 0), 8);
  const mean = rowOf(report, "reward");
  assert.deepEqual([mean.value, mean.low, mean.high, mean.unit], [0.25, 0.25, 0.25, "reward"]);
  assert.equal(report.reward, reward);
});

const refused: readonly [Partial<EvalConfig>, RegExp][] = [
  [
    { suite: "assitant" },
    /^NutshellError: eval: suite must name some of .*got "assitant"\. Did you/,
  ],
  [{ suite: " , " }, /suite must name some of/],
  [{ model: "/nowhere" }, /^NutshellError: .*must hold config\.json or step-…/],
];

for (const [given, message] of refused)
  test(`refused: ${JSON.stringify(given)}`, () => assert.rejects(run(given), message));

test("a set with a broken row is refused by its line", async () => {
  const data = join(root, "broken");
  await writeSets(data, {
    "eval/core/arc_easy.jsonl.gz": [{ query: "q", choices: ["a"], gold: 1 }],
  });
  const model = await saveSpeakingModel(join(root, "ab"), " ab");
  await assert.rejects(
    run({ model, data, suite: "core" }),
    /arc_easy\.jsonl\.gz:1: "gold" must be a whole number below 1, got 1\./,
  );
});
