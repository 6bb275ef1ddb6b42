/** What a request may not say, each with the field that is named and the status. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { serveScript } from "./scripted-server.ts";

const user = { role: "user", content: "hi" };
const image = { type: "image_url", image_url: { url: "data:," } };
const tool = (name: string) => ({ type: "function", function: { name } });
const chat = (fields: object) => ({ messages: [user], ...fields });
const schema = (value: unknown) => ({
  response_format: { type: "json_schema", json_schema: value },
});

type Row = readonly [
  path: string,
  body: unknown,
  param: string | null,
  message: RegExp,
  status?: number,
];

const rows: readonly Row[] = [
  ["chat/completions", [], null, /must be a JSON object/],
  ["chat/completions", "null", null, /must be a JSON object/],
  ["chat/completions", {}, "messages", /is required/],
  ["chat/completions", { messages: [] }, "messages", /must hold a message/],
  ["chat/completions", { messages: null }, "messages", /is required/],
  ["chat/completions", { messages: [{ role: "cat" }] }, "messages[0].role", /must be one of/],
  ["chat/completions", { messages: ["hi"] }, "messages[0]", /must be an object/],
  [
    "chat/completions",
    { messages: [{ role: "user", content: 1 }] },
    "messages[0].content",
    /string/,
  ],
  [
    "chat/completions",
    { messages: [{ role: "user", content: [image] }] },
    "messages[0].content[0].type",
    /only parts of text/,
  ],
  [
    "chat/completions",
    { messages: [{ ...user, name: "Al" }] },
    "messages[0].name",
    /not supported/,
  ],
  [
    "chat/completions",
    { messages: [user, { role: "assistant" }] },
    "messages[1].content",
    /required/,
  ],
  [
    "chat/completions",
    { messages: [user, { role: "tool", content: "", tool_call_id: "x" }] },
    "messages[1].tool_call_id",
    /no assistant message/,
  ],
  ["chat/completions", chat({ temprature: 1 }), "temprature", /Did you mean "temperature"/],
  ["chat/completions", chat({ ["x".repeat(100_000)]: 1 }), "x".repeat(60), /unknown field/],
  ["chat/completions", chat({ constructor: 1 }), "constructor", /unknown field/],
  ["chat/completions", chat({ functions: [] }), "functions", /Use tools/],
  ["chat/completions", chat({ temperature: 3 }), "temperature", /between 0 and 2/],
  ["chat/completions", chat({ temperature: "1" }), "temperature", /must be a number/],
  [
    "chat/completions",
    `{"messages":[{"role":"user","content":"hi"}],"temperature":1e999}`,
    "temperature",
    /got Infinity/,
  ],
  ["chat/completions", chat({ top_p: 0 }), "top_p", /must be a number/],
  ["chat/completions", chat({ top_k: 0 }), "top_k", /whole number/],
  ["chat/completions", chat({ max_tokens: 1.5 }), "max_tokens", /whole number/],
  ["chat/completions", chat({ max_tokens: 1e300 }), "max_tokens", /whole number/],
  [
    "chat/completions",
    chat({ max_tokens: 1, max_completion_tokens: 2 }),
    "max_tokens",
    /older name/,
  ],
  ["chat/completions", chat({ n: 17 }), "n", /between 1 and 16/],
  ["chat/completions", chat({ seed: 2 ** 60 }), "seed", /whole number/],
  ["chat/completions", chat({ stop: [""] }), "stop", /must not be empty/],
  ["chat/completions", chat({ stop: [1] }), "stop[0]", /string/],
  ["chat/completions", chat({ top_logprobs: 1 }), "top_logprobs", /belongs to logprobs/],
  [
    "chat/completions",
    chat({ logprobs: true, top_logprobs: 21 }),
    "top_logprobs",
    /between 0 and 20/,
  ],
  ["chat/completions", chat({ logit_bias: { a: 1 } }), "logit_bias", /token ids/],
  ["chat/completions", chat({ logit_bias: { 5: 101 } }), "logit_bias.5", /between -100 and 100/],
  ["chat/completions", chat({ logit_bias: { 9999999: 1 } }), "logit_bias", /below/],
  ["chat/completions", chat({ stream_options: {} }), "stream_options", /belongs to stream/],
  [
    "chat/completions",
    chat({ stream: true, stream_options: { include_usge: true } }),
    "stream_options.include_usge",
    /include_usage/,
  ],
  [
    "chat/completions",
    chat({ response_format: { type: "xml" } }),
    "response_format.type",
    /must be one of/,
  ],
  [
    "chat/completions",
    chat({ response_format: { type: "json_schema" } }),
    "response_format.json_schema",
    /belongs to/,
  ],
  [
    "chat/completions",
    chat(schema({ name: "a b" })),
    "response_format.json_schema.name",
    /letters/,
  ],
  [
    "chat/completions",
    chat({ grammar: "root ::= x", response_format: { type: "json_object" } }),
    "grammar",
    /does not go together/,
  ],
  [
    "chat/completions",
    chat({ tools: [{ type: "web_search" }] }),
    "tools[0].type",
    /only "function"/,
  ],
  ["chat/completions", chat({ tools: [tool("a b")] }), "tools[0].function.name", /letters/],
  ["chat/completions", chat({ tools: [tool("a"), tool("a")] }), "tools", /same name/],
  [
    "chat/completions",
    chat({ tools: [tool("a")], tool_choice: tool("b") }),
    "tool_choice",
    /not among/,
  ],
  ["chat/completions", chat({ tool_choice: "required" }), "tool_choice", /needs tools/],
  ["chat/completions", chat({ model: "gpt-9" }), "model", /does not exist/, 404],
  ["completions", { suffix: "x" }, "suffix", /forward only/],
  ["completions", { prompt: { a: 1 } }, "prompt", /must be a string/],
  ["completions", { prompt: [] }, "prompt", /must hold a prompt/],
  ["completions", { prompt: ["a", 1] }, "prompt", /must be a string/],
  ["completions", { prompt: [-1] }, "prompt", /token ids/],
  ["completions", { prompt: [[1, 0.5]] }, "prompt", /token ids/],
  ["completions", { prompt: Array(129).fill("a") }, "prompt", /at most 128/],
  ["completions", { prompt: Array(100).fill("a"), n: 2 }, "prompt", /at most 128/],
  ["completions", { n: 3, best_of: 2 }, "best_of", /at least n/],
  ["completions", { best_of: 2, stream: true }, "best_of", /stream/],
  ["responses", {}, "input", /is required/],
  ["responses", { input: [{ type: "reasoning" }] }, "input[0].type", /only items/],
  ["responses", { input: [{ type: "__proto__x" }] }, "input[0].type", /only items/],
  ["responses", { input: "a", previous_response_id: "resp_x" }, "previous_response_id", /no such/],
  ["responses", { input: "a", background: true }, "background", /at once/],
  ["responses", { input: "a", reasoning: { effort: "high" } }, "reasoning", /not supported/],
  ["responses", { input: "a", truncation: "auto" }, "truncation", /must be one of/],
  ["responses", { input: "a", max_tokens: 5 }, "max_tokens", /unknown field/],
  [
    "responses",
    { input: [{ role: "user", content: [{ type: "input_image" }] }] },
    "input[0].content[0].type",
    /only parts of text/,
  ],
  ["responses", { input: "a", tools: [tool("a")] }, "tools[0].function", /unknown field/],
  [
    "responses",
    { input: [{ type: "function_call_output", call_id: "x", output: "" }] },
    "input",
    /no assistant/,
  ],
  ["embeddings", { input: [] }, "input", /1 to 2048/],
  ["embeddings", { input: [""] }, "input[0]", /must not be empty/],
  ["embeddings", { input: "a", dimensions: 3 }, "dimensions", /have 8/],
  ["embeddings", { input: "a", encoding_format: "hex" }, "encoding_format", /must be one of/],
  ["tokenize", {}, "prompt", /either prompt or content/],
  ["tokenize", { prompt: "a", content: "b" }, "prompt", /either prompt or content/],
  ["detokenize", { tokens: [1.5] }, "tokens", /whole numbers/],
];

test("every broken rule is a 400 that names its field", async (t) => {
  const { post, client, log } = await serveScript(t, {});
  for (const [path, body, param, message, status = 400] of rows) {
    const reply = await post(`/v1/${path}`, body);
    const text = await reply.text();
    const where = `${path} ${JSON.stringify(body).slice(0, 100)} got ${text}`;
    assert.equal(reply.status, status, where);
    const { error } = JSON.parse(text) as { error: Record<string, unknown> };
    assert.equal(error.param, param, where);
    assert.match(error.message as string, message, where);
    assert.equal(error.type, "invalid_request_error", where);
    assert.equal(typeof error.code, "string", where);
  }
  const alive = await client.models.list();
  assert.equal(alive.data[0]?.id, "scripted");
  assert.ok(log.every(({ failure }) => failure === undefined));
});

test("what an engine lacks is refused by the field that asks for it", async (t) => {
  const can = {
    tokens: false,
    logprobs: false,
    tools: false,
    formats: ["text" as const],
    embed: false,
  };
  const { post } = await serveScript(t, { engine: { can } });
  const lacking: readonly (readonly [string, object, string])[] = [
    ["chat/completions", chat({ tools: [tool("a")] }), "tools"],
    ["chat/completions", chat({ logprobs: true }), "logprobs"],
    ["chat/completions", chat({ response_format: { type: "json_object" } }), "response_format"],
    ["chat/completions", chat({ grammar: "root ::= x" }), "grammar"],
    ["completions", { prompt: "a" }, "prompt"],
    ["embeddings", { input: "a" }, "model"],
    ["tokenize", { prompt: "a" }, "model"],
    ["detokenize", { tokens: [1] }, "model"],
  ];
  for (const [path, body, param] of lacking) {
    const reply = await post(`/v1/${path}`, body);
    const { error } = (await reply.json()) as { error: { param: string; code: string } };
    assert.deepEqual([reply.status, error.param, error.code], [400, param, "unsupported_value"]);
  }
});
