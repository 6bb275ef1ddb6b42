/** The AI SDK as the other client that people use: text, streams, tools, objects, vectors. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from "ai";
import type { ScriptedPast } from "../../src/llm/engines/script.ts";
import { noSessions, serveScript } from "./scripted-server.ts";

function provider(url: string) {
  return createOpenAICompatible({
    name: "nutshell",
    baseURL: `${url}/v1`,
    supportsStructuredOutputs: true,
    includeUsage: true,
  });
}

test("text comes whole and streamed, with usage", async (t) => {
  const { url } = await serveScript(t, { script: () => ["hel", "lo"] });
  const model = provider(url)("scripted");
  const whole = await generateText({ model, prompt: "hi", temperature: 0, maxOutputTokens: 50 });
  assert.equal(whole.text, "hello");
  assert.equal(whole.usage.outputTokens, 5);
  const streamed = streamText({ model, prompt: "hi" });
  assert.equal(await streamed.text, "hello");
  assert.equal((await streamed.usage).outputTokens, 5);
  assert.equal(await streamed.finishReason, "stop");
});

test("parallel tools are called, answered, and the answer is read", async (t) => {
  const call = (town: string) => ({ call: { name: "weather", arguments: `{"town":"${town}"}` } });
  const script = ({ messages }: ScriptedPast) => {
    const results = messages.filter(({ role }) => role === "tool");
    if (results.length === 0) return [call("Ulm"), call("Bonn")];
    return results.map(({ content }) => content).join(" and ");
  };
  const { url } = await serveScript(t, { script });
  const inputSchema = jsonSchema<{ town: string }>({
    type: "object",
    properties: { town: { type: "string" } },
    required: ["town"],
  });
  const weather = tool({ inputSchema, execute: async ({ town }) => `rain in ${town}` });
  const model = provider(url)("scripted");
  const asked = { model, prompt: "hi", tools: { weather }, stopWhen: stepCountIs(3) };
  const whole = await generateText(asked);
  const streamed = await streamText(asked).text;
  for (const text of [whole.text, streamed]) {
    assert.ok(text.includes("rain in Ulm") && text.includes("rain in Bonn"), text);
  }
});

test("an object by its schema", async (t) => {
  const asked: ScriptedPast[] = [];
  const script = (past: ScriptedPast) => {
    asked.push(past);
    return '{"age":4}';
  };
  const { url } = await serveScript(t, { script });
  const schema = jsonSchema<{ age: number }>({
    type: "object",
    properties: { age: { type: "number" } },
    required: ["age"],
    additionalProperties: false,
  });
  const output = Output.object({ schema });
  const made = await generateText({ model: provider(url)("scripted"), prompt: "hi", output });
  assert.deepEqual(made.output, { age: 4 });
  assert.equal(asked[0]?.options.format?.kind, "json-schema");
});

test("an abort frees the timeline; an error has its text", async (t) => {
  const script = () => Array.from({ length: 1000 }, () => [{ waitMs: 5 }, "w "]).flat();
  const { url, engine } = await serveScript(t, { script });
  const model = provider(url)("scripted");
  const controller = new AbortController();
  const streamed = streamText({ model, prompt: "hi", abortSignal: controller.signal });
  for await (const _ of streamed.textStream) controller.abort();
  await noSessions(engine);
  const other = provider(url)("other");
  await assert.rejects(
    generateText({ model: other, prompt: "hi", maxRetries: 0 }),
    /does not exist/,
  );
});

test("vectors", async (t) => {
  const { url, engine } = await serveScript(t, {});
  const model = provider(url).embeddingModel("scripted");
  const { embeddings } = await embedMany({ model, values: ["a", "b"] });
  const { vectors } = await engine.embed(["a", "b"]);
  assert.deepEqual(
    embeddings,
    vectors.map((vector) => [...vector]),
  );
});
