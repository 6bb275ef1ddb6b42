/**
 * The whole way down to a real tiny model of random weights: what it says is noise, but calls,
 * schemas, scores and vectors keep what they promise, and nothing stays open.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Ajv } from "ajv";
import OpenAI from "openai";
import { createLocalEngine } from "../../src/llm/engines/local-engine.ts";
import { nutshellFormat } from "../../src/llm/engines/nutshell-format.ts";
import { startServer } from "../../src/server/start-server.ts";
import { chatTokenizer } from "../llm/chat/tokenizer.ts";
import { noisyTokens } from "../llm/engines/noisy-engine.ts";
import { noSessions } from "./scripted-server.ts";

const model = { id: "noisy", provider: "nutshell", created: 0 };
const setting = { model, tokenizer: chatTokenizer, format: nutshellFormat(chatTokenizer) };
const engine = createLocalEngine(await noisyTokens(), setting);
const server = await startServer(engine, { port: 0 }, () => {});
after(async () => {
  await noSessions(engine);
  await server.close();
  await engine[Symbol.asyncDispose]();
});
const baseURL = `${server.url}/v1`;
const client = new OpenAI({ baseURL, apiKey: "none-needed", maxRetries: 0 });
const messages = [{ role: "user" as const, content: "hi" }];
const ask = { model: "noisy", messages, seed: 7, max_tokens: 40 };

test("same seed, same text: whole, streamed, and beside others", async () => {
  const whole = await client.chat.completions.create(ask);
  const streamed = await client.chat.completions.stream(ask).finalChatCompletion();
  const beside = await Promise.all(
    [7, 8, 9].map((seed) => client.chat.completions.create({ ...ask, seed })),
  );
  const text = whole.choices[0]?.message.content;
  assert.ok(text);
  assert.equal(streamed.choices[0]?.message.content, text);
  assert.equal(beside[0]?.choices[0]?.message.content, text);
  assert.notEqual(beside[1]?.choices[0]?.message.content, text);
});

test("a schema holds, by chat and by responses", async () => {
  const schema = {
    type: "object",
    properties: { a: { type: "boolean" }, b: { enum: ["x", "y"] } },
    required: ["a", "b"],
    additionalProperties: false,
  };
  const validate = new Ajv().compile(schema);
  const json_schema = { name: "ab", schema, strict: true };
  const chat = await client.chat.completions.create({
    ...ask,
    max_tokens: 200,
    response_format: { type: "json_schema", json_schema },
  });
  const { choices } = chat;
  assert.equal(choices[0]?.finish_reason, "stop");
  const format = { type: "json_schema" as const, ...json_schema };
  const response = await client.responses.create({
    model: "noisy",
    input: "hi",
    text: { format },
    max_output_tokens: 200,
  });
  assert.equal(response.status, "completed");
  for (const text of [choices[0]?.message.content, response.output_text])
    assert.ok(validate(JSON.parse(text ?? "")), text ?? "");
});

test("a call that is required is made, with arguments that fit", async () => {
  const parameters = {
    type: "object",
    properties: { on: { type: "boolean" } },
    required: ["on"],
    additionalProperties: false,
  };
  const tools = [{ type: "function" as const, function: { name: "lamp", parameters } }];
  const asked = { ...ask, tools, tool_choice: "required" as const, max_tokens: 300 };
  const one = { ...asked, parallel_tool_calls: false };
  const reply = await client.chat.completions.stream(one).finalChatCompletion();
  const calls = reply.choices[0]?.message.tool_calls ?? [];
  assert.equal(calls.length, 1);
  assert.equal(reply.choices[0]?.finish_reason, "tool_calls");
  const [made] = calls;
  assert.ok(made?.type === "function");
  assert.equal(made.function.name, "lamp");
  assert.equal(typeof JSON.parse(made.function.arguments).on, "boolean");
  const result = { role: "tool" as const, tool_call_id: made.id, content: "done" };
  const history = [...messages, reply.choices[0]?.message as OpenAI.ChatCompletionMessage, result];
  const next = await client.chat.completions.create({ ...ask, tools, messages: history });
  assert.ok(next.choices[0]);
});

test("a prompt's scores are the same as those of the text that made it", async () => {
  const asked = { model: "noisy", logprobs: 0, seed: 3 };
  const made = await client.completions.create({ ...asked, prompt: "abc", max_tokens: 8 });
  const ids = await tokenize(made.choices[0]?.text ?? "");
  const [choice] = made.choices;
  // Only a text that its tokenizer writes with the same tokens can be compared.
  if (ids.length !== choice?.logprobs?.tokens?.length) return;
  const scored = await client.completions.create({
    ...asked,
    prompt: `abc${choice.text}`,
    echo: true,
    max_tokens: 0,
  });
  const logprobs = scored.choices[0]?.logprobs?.token_logprobs?.slice(-ids.length) ?? [];
  for (const [i, logprob] of logprobs.entries())
    assert.ok(Math.abs(logprob - (choice.logprobs.token_logprobs?.[i] as number)) < 1e-3);
});

async function tokenize(prompt: string): Promise<number[]> {
  const reply = await fetch(`${server.url}/tokenize`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ prompt }),
  });
  return ((await reply.json()) as { tokens: number[] }).tokens;
}

test("vectors have length 1, and a context that is too small is said", async () => {
  const { data } = await client.embeddings.create({ model: "noisy", input: ["a", "another"] });
  for (const { embedding } of data) assert.ok(Math.abs(Math.hypot(...embedding) - 1) < 1e-5);
  const long = [{ role: "user" as const, content: "x".repeat(2000) }];
  await assert.rejects(client.chat.completions.create({ ...ask, messages: long }), {
    status: 400,
    code: "context_length_exceeded",
  });
});

test("clients that leave at any moment leave nothing", async () => {
  for (let i = 0; i < 12; i++) {
    const signal = AbortSignal.timeout(1 + i * 3);
    const asked = { ...ask, max_tokens: 400, stream: i % 2 === 0, n: 1 + (i % 3) };
    await readToEnd(asked, signal).catch(() => {});
  }
  await noSessions(engine);
});

async function readToEnd(asked: OpenAI.ChatCompletionCreateParams, signal: AbortSignal) {
  const reply = await client.chat.completions.create(asked, { signal });
  if (Symbol.asyncIterator in reply) for await (const _ of reply);
}
