/** From a folder to answers, in every storage of weights. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { type OpenEngineOptions, openEngine } from "../../../src/llm/engines/open-engine.node.ts";
import { saveCheckpoint } from "../../../src/llm/model/checkpoint.node.ts";
import { initialise } from "../../../src/llm/model/parameters.ts";
import { toTokenizerJson } from "../../../src/llm/tokenizer/tokenizer-json.ts";
import { asksClock, saveChattingModel, talksOn } from "../chat/chatting-model.ts";
import { chatTokenizer } from "../chat/tokenizer.ts";
import { saveSpeakingModel } from "../inference/speaking-model.ts";
import { noisyConfig } from "./noisy-engine.ts";
import { readAll } from "./read-all.ts";

const folder = await mkdtemp(join(tmpdir(), "nutshell-open-engine-"));
after(() => rm(folder, { recursive: true }));

const greedy = { sampling: { temperature: 0 } };

test("a base model goes on with a text and ends it", async () => {
  const path = await saveSpeakingModel(join(folder, "base"), "Helo, wrd!");
  await using engine = await openEngine(path, { id: "hello", maxBatch: 2 });
  const { id, provider, contextLen, created } = engine.model;
  assert.deepEqual([id, provider, contextLen], ["hello", "nutshell", 3000]);
  assert.ok(Math.abs(created - Date.now() / 1000) < 600);
  await using session = engine.open();
  await session.append({ kind: "text", text: "Helo" });
  const { text, ended } = await readAll(session.generate(greedy));
  assert.deepEqual([text, ended.finishReason], [", wrd!", "stop"]);
  const messages = { kind: "messages", messages: [{ role: "user", content: "?" }] } as const;
  await assert.rejects(session.append(messages), { code: "UNSUPPORTED" });
});

test("an assistant answers", async () => {
  const path = await saveChattingModel(join(folder, "chat"), talksOn);
  await using engine = await openEngine(path, { weights: "f32", maxBatch: 1, kvBytes: 2 ** 20 });
  assert.equal(engine.can.tools, true);
  await using session = engine.open();
  await session.append({ kind: "messages", messages: [{ role: "user", content: "?" }] });
  const { text, ended } = await readAll(session.generate({ ...greedy, maxTokens: 9 }));
  assert.deepEqual([text, ended.finishReason], ["Done.Done", "length"]);
});

test("weights of 8 bits are other weights, of the same length", async () => {
  const store = createReferenceBackend().createStore();
  const config = { ...noisyConfig, headDim: 16 };
  await initialise(store, config, 1);
  const texts = { "tokenizer.json": toTokenizerJson(chatTokenizer) };
  const content = { step: 1, config, store, texts };
  const path = await saveCheckpoint(join(folder, "noisy"), content);
  const fingerprints: string[] = [];
  for (const weights of ["bf16", "q8_0"] as const) {
    await using engine = await openEngine(path, { weights, maxBatch: 1 });
    await using session = engine.open();
    const { ended } = await readAll(session.generate({ maxTokens: 3 }));
    assert.equal(ended.usage.completionTokens, 3);
    fingerprints.push((await session.snapshot()).model);
  }
  assert.equal(new Set(fingerprints).size, 2);
});

test("whoever guesses, the text is the same, and guesses are counted", async () => {
  const path = await saveChattingModel(join(folder, "guessed"), talksOn);
  // After "Done." it thinks that the turn ends.
  const small = await saveChattingModel(join(folder, "guesses"), asksClock);
  const made = async (
    options: OpenEngineOptions,
  ): Promise<{ text: string; drafted: number; accepted: number; told: number }> => {
    const usual = { weights: "f32", maxBatch: 2, backend: "reference" } as const;
    await using engine = await openEngine(path, { ...usual, ...options });
    await using session = engine.open();
    await session.append({ kind: "messages", messages: [{ role: "user", content: "?" }] });
    const { text, ended } = await readAll(session.generate({ ...greedy, maxTokens: 40 }));
    const { draftedTokens: drafted, acceptedTokens: accepted } = engine.stats();
    return { text, drafted, accepted, told: ended.usage.draftTokens };
  };
  const alone = await made({});
  assert.deepEqual(alone, { text: "Done.".repeat(8), drafted: 0, accepted: 0, told: 0 });
  assert.deepEqual(await made({ steady: true }), alone);
  for (const draft of ["lookup", small]) {
    const { text, drafted, accepted, told } = await made({ draft });
    assert.equal(text, alone.text, draft);
    assert.ok(accepted > 0 && accepted <= drafted, `${draft}: ${accepted} of ${drafted}`);
    assert.equal(told, accepted, draft);
    if (draft === small) assert.ok(accepted < drafted, "the small model errs after each Done.");
  }
});

test("a draft that cannot be one is refused", async () => {
  const path = await saveChattingModel(join(folder, "refuses"), talksOn);
  const other = await saveSpeakingModel(join(folder, "other"), "Helo, wrd!");
  const message = /draft must have the vocabulary of/;
  await assert.rejects(openEngine(path, { draft: other }), { code: "CONFIG", message });
  await assert.rejects(openEngine(path, { draft: join(folder, "none") }), { code: "CHECKPOINT" });
  await assert.rejects(openEngine(path, { draft: "lookup", steady: true }), { code: "CONFIG" });
  const gguf = { draft: "lookup" };
  await assert.rejects(openEngine("a.gguf", gguf), { code: "UNSUPPORTED", message: /got draft/ });
  await assert.rejects(openEngine("ollama/a", { steady: true }), { code: "UNSUPPORTED" });
});

test("what is not there, or may not be, is said", async () => {
  await assert.rejects(openEngine(join(folder, "none")), { code: "CHECKPOINT" });
  const path = await saveChattingModel(join(folder, "long"), talksOn);
  await assert.rejects(openEngine(path, { contextLen: 1e6 }), { code: "CONFIG" });
});
