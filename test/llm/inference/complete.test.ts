/** Text in, text out, with models that say what their weights were written to say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { type Completion, completeText } from "../../../src/llm/inference/complete.ts";
import { createGenerator, type TokenGenerator } from "../../../src/llm/inference/generator.ts";
import { characterTokenizer } from "../../../src/llm/tokenizer/character.ts";
import { byteTokenizer, speakingConfig, speakingStore } from "./speaking-model.ts";

// Two, three and four bytes a character, all of them different.
const TEXT = "é日🌍 ok.";
const SAMPLING = { temperature: 0.8, seed: 1 };

async function generatorOf(text: string, endless = false): Promise<TokenGenerator> {
  const store = await speakingStore(text, endless);
  return createGenerator(createReferenceBackend(), store, speakingConfig, {
    precision: "f32",
    contextLen: 64,
  });
}

async function read(
  pieces: AsyncGenerator<string, Completion>,
): Promise<{ readonly pieces: string[]; readonly completion: Completion }> {
  const out: string[] = [];
  let next = await pieces.next();
  for (; next.done !== true; next = await pieces.next()) out.push(next.value);
  return { pieces: out, completion: next.value };
}

test("a text streams whole characters and ends where the model ends it", async () => {
  const generator = await generatorOf(TEXT);
  const { pieces, completion } = await read(completeText(generator, byteTokenizer, "", SAMPLING));
  const whole = ["", "é", "", "", "日", "", "", "", "🌍", " ", "o", "k", "."];
  assert.deepEqual(pieces, whole);
  const counts = { promptTokens: 1, tokens: whole.length };
  assert.deepEqual(completion, { text: TEXT, ...counts, finishReason: "stop" });
});

test("a character cut off by the token limit is shown as missing", async () => {
  const generator = await generatorOf(TEXT);
  const cut = completeText(generator, byteTokenizer, "", { ...SAMPLING, maxTokens: 4 });
  const { pieces, completion } = await read(cut);
  assert.deepEqual(pieces, ["", "é", "", "", "\uFFFD"]);
  assert.equal(completion.text, "é\uFFFD");
  assert.equal(completion.tokens, 4);
  assert.equal(completion.finishReason, "length");
});

test("a prompt is continued, special tokens in it are plain text", async () => {
  const generator = await generatorOf(TEXT);
  const { completion } = await read(completeText(generator, byteTokenizer, "<|bos|> 日", SAMPLING));
  assert.equal(completion.text, "🌍 ok.");
  assert.equal(completion.promptTokens, 12);
});

test("a reader that leaves early frees the generator", async () => {
  const generator = await generatorOf(TEXT, true);
  for await (const piece of completeText(generator, byteTokenizer, "", SAMPLING))
    if (piece === "日") break;
  const { completion } = await read(completeText(generator, byteTokenizer, "o", SAMPLING));
  assert.equal(completion.text.slice(0, 3), "k.é");
  assert.equal(completion.finishReason, "length");
  assert.equal(completion.promptTokens + completion.tokens, 64);
});

test("an empty prompt needs a token to start from", async () => {
  const generator = await generatorOf(TEXT);
  const letters = characterTokenizer("abc");
  await assert.rejects(completeText(generator, letters, "", SAMPLING).next(), {
    code: "CONFIG",
    message: /prompt must hold a character, got none/,
  });
});
