/** The responses API as the official client asks for it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type OpenAI from "openai";
import type { ScriptedPast } from "../../src/llm/engines/script.ts";
import { serveScript } from "./scripted-server.ts";

type StreamEvent = OpenAI.Responses.ResponseStreamEvent;

const weather = {
  type: "function" as const,
  name: "weather",
  description: "of a town",
  parameters: { type: "object", properties: { town: { type: "string" } } },
  strict: true,
};
const call = (town: string) => ({ call: { name: "weather", arguments: `{"town":"${town}"}` } });

test("a text comes whole, with usage and what was asked", async (t) => {
  const { client } = await serveScript(t, { script: ["hello"] });
  const asked = { model: "scripted", input: "hi", instructions: "be kind", temperature: 0.5 };
  const response = await client.responses.create(asked);
  assert.equal(response.output_text, "hello");
  assert.equal(response.status, "completed");
  assert.equal(response.instructions, "be kind");
  assert.equal(response.temperature, 0.5);
  assert.match(response.id, /^resp_/);
  const { input_tokens, output_tokens, total_tokens } = response.usage ?? {};
  assert.deepEqual([input_tokens, output_tokens, total_tokens], [9, 5, 14]);
});

test("a stream opens, fills and closes each item in order", async (t) => {
  const { client } = await serveScript(t, { script: [["I ", "look.", call("Ulm"), call("Bonn")]] });
  const asked = { model: "scripted", input: "hi", tools: [weather], stream: true as const };
  const events: StreamEvent[] = [];
  for await (const event of await client.responses.create(asked)) events.push(event);
  const calls = ["output_item.added", ...Array(2).fill("function_call_arguments.delta")].concat([
    "function_call_arguments.done",
    "output_item.done",
  ]);
  assert.deepEqual(
    events.map(({ type }) => type.replace("response.", "")),
    [
      ...["created", "in_progress", "output_item.added", "content_part.added"],
      ...["output_text.delta", "output_text.delta", "output_text.done", "content_part.done"],
      ...["output_item.done", ...calls, ...calls, "completed"],
    ],
  );
  assert.deepEqual(
    events.map(({ sequence_number }) => sequence_number),
    events.map((_, i) => i),
  );
  const last = events.at(-1);
  assert.ok(last?.type === "response.completed");
  assert.deepEqual(
    last.response.output.map((item) => [item.type, "arguments" in item ? item.arguments : ""]),
    [
      ["message", ""],
      ["function_call", '{"town":"Ulm"}'],
      ["function_call", '{"town":"Bonn"}'],
    ],
  );
  const added = events.filter((event) => event.type === "response.output_item.added");
  assert.deepEqual(
    added.map(({ output_index, item }) => [output_index, item.id]),
    last.response.output.map((item, i) => [i, item.id]),
  );
});

test("the client's own stream puts the same text together", async (t) => {
  const { client } = await serveScript(t, { script: [["a", "b", "ć"]] });
  const stream = client.responses.stream({ model: "scripted", input: "hi" });
  const final = await stream.finalResponse();
  assert.equal(final.output_text, "abć");
});

test("a next response goes on from an earlier one, until that is deleted", async (t) => {
  const asked: ScriptedPast[] = [];
  const script = (past: ScriptedPast) => {
    asked.push(past);
    return asked.length === 1 ? [call("Ulm")] : "rain";
  };
  const { client, post } = await serveScript(t, { script });
  const first = await client.responses.create({
    model: "scripted",
    input: "weather in Ulm?",
    instructions: "be kind",
    tools: [weather],
  });
  const [made] = first.output;
  assert.ok(made?.type === "function_call");
  const output = { type: "function_call_output" as const, call_id: made.call_id, output: "wet" };
  const asks = { model: "scripted", previous_response_id: first.id, input: [output] };
  const second = await client.responses.create(asks);
  assert.equal(second.output_text, "rain");
  assert.equal(second.previous_response_id, first.id);
  const toolCalls = [{ id: made.call_id, name: "weather", arguments: '{"town":"Ulm"}' }];
  assert.deepEqual(asked[1]?.messages, [
    { role: "user", content: "weather in Ulm?" },
    { role: "assistant", content: "", toolCalls },
    { role: "tool", callId: made.call_id, content: "wet" },
  ]);
  const kept = await client.responses.retrieve(second.id);
  assert.deepEqual(kept.output, second.output);
  await client.responses.delete(first.id);
  await assert.rejects(client.responses.retrieve(first.id), { status: 404 });
  await assert.rejects(client.responses.create(asks), { code: "previous_response_not_found" });
  const unkept = await client.responses.create({ model: "scripted", input: "a", store: false });
  await assert.rejects(client.responses.retrieve(unkept.id), { status: 404 });
  const again = await post("/v1/responses", {
    input: [...second.output, { role: "user", content: "so?" }],
  });
  assert.equal(again.status, 200, "what was sent may be sent back");
});

test("a key sees its own responses only, and the oldest go first", async (t) => {
  const { createKeyRing } = await import("../../src/server/keys.ts");
  const keys = createKeyRing(["key-of-ann", "key-of-bob"]);
  const { client } = await serveScript(t, { settings: { keys, maxStored: 2 } });
  const [ann, bob] = ["key-of-ann", "key-of-bob"].map((apiKey) => client.withOptions({ apiKey }));
  const ask = { model: "scripted", input: "hi" };
  const first = await (ann as OpenAI).responses.create(ask);
  await assert.rejects((bob as OpenAI).responses.retrieve(first.id), { status: 404 });
  await assert.rejects((bob as OpenAI).responses.delete(first.id), { status: 404 });
  await (ann as OpenAI).responses.retrieve(first.id);
  for (let i = 0; i < 2; i++) await (bob as OpenAI).responses.create(ask);
  await assert.rejects((ann as OpenAI).responses.retrieve(first.id), { status: 404 });
});

test("a text that is cut is incomplete, one that breaks off has failed", async (t) => {
  const script = ({ options }: ScriptedPast) =>
    options.maxTokens === 3 ? "hello" : ["so far", { error: new TypeError("bug") }];
  const { client } = await serveScript(t, { script });
  const ask = { model: "scripted", input: "hi", max_output_tokens: 3 };
  const cut = await client.responses.create(ask);
  assert.deepEqual(
    [cut.status, cut.incomplete_details?.reason, cut.output_text],
    ["incomplete", "max_output_tokens", "hel"],
  );
  const events: StreamEvent[] = [];
  const broken = { model: "scripted", input: "hi", stream: true as const };
  for await (const event of await client.responses.create(broken)) events.push(event);
  const last = events.at(-1);
  assert.ok(last?.type === "response.failed");
  assert.equal(last.response.status, "failed");
  assert.ok(!JSON.stringify(last).includes("bug"));
  assert.equal(last.sequence_number, events.length - 1);
});

test("a schema and log-probabilities are asked for in this API's words", async (t) => {
  const asked: ScriptedPast[] = [];
  const script = (past: ScriptedPast) => {
    asked.push(past);
    return [{ text: "{}", logprob: -1 }];
  };
  const { client } = await serveScript(t, { script });
  const schema = { type: "object" };
  const response = await client.responses.create({
    model: "scripted",
    input: "hi",
    text: { format: { type: "json_schema", name: "a", schema } },
    include: ["message.output_text.logprobs"],
    top_logprobs: 1,
  });
  assert.deepEqual(asked[0]?.options.format, { kind: "json-schema", schema });
  const [item] = response.output;
  assert.ok(item?.type === "message" && item.content[0]?.type === "output_text");
  assert.deepEqual(
    item.content[0].logprobs?.map(({ token, logprob }) => [token, logprob]),
    [
      ["{", -1],
      ["}", -1],
    ],
  );
});
