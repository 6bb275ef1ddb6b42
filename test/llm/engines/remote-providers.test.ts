/**
 * Each provider's own wire form, over a real connection: what is sent, and what is made of an
 * answer in the form that its reference documents. The answers here were written after
 * platform.openai.com/docs/api-reference, docs.anthropic.com/en/api/messages-streaming and
 * ai.google.dev/api/generate-content.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createRemoteEngine, type RemoteSetting } from "../../../src/llm/engines/remote-engine.ts";
import { readRemoteSetting } from "../../../src/llm/engines/remote-setting.node.ts";
import type { Engine } from "../../../src/llm/inference/engine.ts";
import { type Answer, type Sent, serveLoopback } from "./loopback.ts";
import { readAll } from "./read-all.ts";

const KEY = "key-of-the-test-1234";

async function open(
  t: TestContext,
  setting: Pick<RemoteSetting, "provider" | "name"> & Partial<RemoteSetting>,
  rule: (sent: Sent, nth: number) => Answer,
  path = "",
): Promise<{ readonly engine: Engine; readonly sent: Sent[] }> {
  const { url, sent } = await serveLoopback(t, rule);
  const patience = { maxRetries: 0, ...setting.patience };
  const engine = createRemoteEngine({ apiKey: KEY, ...setting, baseUrl: url + path, patience });
  return { engine, sent };
}

const ask = (content: string) =>
  ({ kind: "messages", messages: [{ role: "user", content }] }) as const;

const weather = {
  name: "weather",
  parameters: { type: "object", properties: { town: { type: "string" } } },
};

/** Chunks of a chat completion; the last says why it ended. */
function chunks(texts: readonly string[], reason: string | null = "stop"): object[] {
  const head = { id: "c1", object: "chat.completion.chunk", created: 1, model: "m" };
  const choice = (delta: object, finish_reason: string | null = null): object => ({
    ...head,
    choices: [{ index: 0, delta, finish_reason }],
  });
  const said = texts.map((content) => choice({ role: "assistant", content }));
  return reason === null ? said : [...said, choice({}, reason)];
}

test("openai: the key is a bearer, the limit has its newer name", async (t) => {
  const usage = {
    prompt_tokens: 9,
    completion_tokens: 2,
    prompt_tokens_details: { cached_tokens: 4 },
  };
  const answer = { events: [...chunks(["Hel", "lo"]), { id: "c1", choices: [], usage }] };
  const { engine, sent } = await open(
    t,
    { provider: "openai", name: "gpt-x" },
    () => answer,
    "/v1",
  );
  const session = engine.open();
  await session.append(ask("hi"));
  const { text, ended } = await readAll(session.generate({ maxTokens: 5 }));
  assert.equal(text, "Hello");
  assert.deepEqual(ended.usage, {
    ...{ promptTokens: 9, cachedTokens: 4, completionTokens: 2, draftTokens: 0 },
  });
  const [{ path, headers, body } = {} as Sent] = sent;
  assert.deepEqual([path, headers.authorization], ["/v1/chat/completions", `Bearer ${KEY}`]);
  assert.deepEqual(
    [body.model, body.max_completion_tokens, body.max_tokens],
    ["gpt-x", 5, undefined],
  );
  assert.deepEqual(body.messages, [{ role: "user", content: "hi" }]);
});

test("anthropic: system apart, a limit always, tool use in pieces, a cut reply goes on", async (t) => {
  const start = {
    type: "message_start",
    message: {
      ...{ id: "m1", type: "message", role: "assistant", model: "claude-x", content: [] },
      ...{ stop_reason: null, stop_sequence: null, usage: { input_tokens: 12, output_tokens: 1 } },
    },
  };
  const block = (index: number, content_block: object, deltas: readonly object[]): object[] => [
    { type: "content_block_start", index, content_block },
    ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index },
  ];
  const end = (stop_reason: string): object[] => [
    {
      type: "message_delta",
      delta: { stop_reason, stop_sequence: null },
      usage: { output_tokens: 7 },
    },
    { type: "message_stop" },
  ];
  const say = (text: string): object[] =>
    block(0, { type: "text", text: "" }, [{ type: "text_delta", text }]);
  const json = (partial_json: string): object => ({ type: "input_json_delta", partial_json });
  const use = { type: "tool_use", id: "toolu_1", name: "weather", input: {} };
  const called = block(1, use, [json('{"town":'), json(' "Bern"}')]);
  const replies = [
    [start, ...say("One"), ...end("max_tokens")],
    [start, ...say(" and"), ...end("max_tokens")],
    [start, ...say(" two."), ...called, ...end("tool_use")],
    [start, ...say("Sunny."), ...end("end_turn")],
  ];
  const rule = (_: Sent, nth: number): Answer => ({ named: true, events: replies[nth] ?? [] });
  const where = { provider: "anthropic", name: "claude-3-haiku-20240307" } as const;
  const { engine, sent } = await open(t, where, rule, "/v1");
  const session = engine.open();
  const system = { role: "system", content: "Be brief." } as const;
  await session.append({
    kind: "messages",
    messages: [system, ...ask("hi").messages],
    tools: [weather],
  });
  const cut = await readAll(session.generate({ maxTokens: 1, sampling: { topK: 4 } }));
  assert.deepEqual([cut.text, cut.ended.finishReason], ["One", "length"]);
  await readAll(session.generate({ maxTokens: 1 }));
  const { ended, text } = await readAll(session.generate({ toolChoice: { name: "weather" } }));
  assert.deepEqual(
    [text, ended.finishReason, ended.usage.completionTokens],
    [" two.", "tool-calls", 7],
  );
  assert.deepEqual(ended.message.toolCalls, [
    { id: "toolu_1", name: "weather", arguments: '{"town": "Bern"}' },
  ]);
  await session.append({ kind: "messages", messages: [{ role: "tool", content: "sun" }] });
  assert.equal((await readAll(session.generate())).text, "Sunny.");
  const [first, , second, third] = sent as [Sent, Sent, Sent, Sent];
  assert.deepEqual([first.path, first.headers["x-api-key"]], ["/v1/messages", KEY]);
  assert.ok(first.headers["anthropic-version"] !== undefined);
  assert.deepEqual([first.body.max_tokens, first.body.top_k], [1, 4]);
  assert.equal(first.body.system[0].text, "Be brief.");
  assert.equal(first.body.tools[0].name, "weather");
  assert.deepEqual(second.body.messages.at(-1).role, "assistant");
  assert.deepEqual(second.body.messages.at(-1).content[0].text, "One and");
  assert.deepEqual(second.body.tool_choice, { type: "tool", name: "weather" });
  assert.ok(second.body.max_tokens > 0);
  assert.equal(third.body.messages[1].content[0].text, "One and two.");
  assert.equal(third.body.messages.at(-1).content[0].tool_use_id, "toolu_1");
  for (const sampling of [{ seed: 1 }, { presencePenalty: 1 }, { logitBias: new Map([[1, 1]]) }])
    await assert.rejects(readAll(session.generate({ sampling })), { code: "UNSUPPORTED" });
  const newest = await open(t, { provider: "anthropic", name: "claude-x" }, rule);
  const other = newest.engine.open();
  await other.append(ask("hi"));
  const refused = { code: "UNSUPPORTED", message: /topK is not supported by claude-x/ };
  await assert.rejects(readAll(other.generate({ sampling: { topK: 4 } })), refused);
});

test("google: contents and parts, calls keep their signature, json by schema", async (t) => {
  const part = (parts: readonly object[], finishReason?: string): object => ({
    candidates: [
      { content: { role: "model", parts }, index: 0, ...(finishReason ? { finishReason } : {}) },
    ],
    usageMetadata: { promptTokenCount: 6, candidatesTokenCount: 3, totalTokenCount: 9 },
  });
  const functionCall = { name: "weather", args: { town: "Bern" } };
  const replies = [
    [part([{ functionCall, thoughtSignature: "c2ln" }], "STOP")],
    [part([{ text: '{"a":' }]), part([{ text: " 1}" }], "STOP")],
  ];
  const rule = (_: Sent, nth: number): Answer => ({ events: replies[nth] ?? [] });
  const where = { provider: "google", name: "gemini-x" } as const;
  const { engine, sent } = await open(t, where, rule, "/v1beta");
  const session = engine.open();
  await session.append({ ...ask("hi"), tools: [weather] });
  const { ended, deltas } = await readAll(session.generate({ sampling: { seed: 5, topK: 3 } }));
  assert.equal(ended.finishReason, "tool-calls");
  assert.deepEqual(JSON.parse(ended.message.toolCalls?.[0]?.arguments ?? ""), { town: "Bern" });
  assert.deepEqual(deltas.map(({ type }) => type).slice(0, 2), [
    "tool-call-start",
    "tool-call-delta",
  ]);
  await session.append({ kind: "messages", messages: [{ role: "tool", content: "sun" }] });
  const schema = { type: "object", properties: { a: { type: "integer" } } };
  const format = { kind: "json-schema", schema } as const;
  const second = await readAll(session.generate({ format, toolChoice: "none" }));
  assert.deepEqual([second.text, second.ended.usage.promptTokens], ['{"a": 1}', 6]);
  const [first, next] = sent as [Sent, Sent];
  assert.match(first.path, /\/v1beta\/models\/gemini-x:streamGenerateContent/);
  assert.equal(first.headers["x-goog-api-key"], KEY);
  assert.deepEqual(first.body.contents, [{ role: "user", parts: [{ text: "hi" }] }]);
  assert.deepEqual([first.body.generationConfig.seed, first.body.generationConfig.topK], [5, 3]);
  assert.equal(first.body.tools[0].functionDeclarations[0].name, "weather");
  const repeated = next.body.contents[1].parts[0];
  assert.deepEqual([repeated.functionCall.name, repeated.thoughtSignature], ["weather", "c2ln"]);
  assert.equal(next.body.generationConfig.responseMimeType, "application/json");
});

test("what is told to wait waits as long as it was told, a bounded number of times", async (t) => {
  const busy = (retryMs: string): Answer => ({
    status: 429,
    headers: { "retry-after-ms": retryMs },
    json: { error: { message: "slow down", type: "rate_limit" } },
  });
  const rule = (_: Sent, nth: number): Answer =>
    nth === 0 ? busy("80") : { events: chunks(["ok"]) };
  const patience = { maxRetries: 1 } as const;
  const where = { provider: "ollama", name: "m", patience } as const;
  const { engine, sent } = await open(t, where, rule);
  const session = engine.open();
  await session.append(ask("x"));
  const begun = performance.now();
  assert.equal((await readAll(session.generate())).text, "ok");
  assert.ok(performance.now() - begun >= 75);
  assert.equal(sent.length, 2);
  const never = await open(t, where, () => busy("1"));
  const other = never.engine.open();
  await other.append(ask("x"));
  const message = /429 slow down after 2 tries/;
  await assert.rejects(readAll(other.generate()), { code: "PROVIDER", message });
  assert.equal(never.sent.length, 2);
});

test("a key that a provider repeats is not shown, and a prompt that is too long is said so", async (t) => {
  const error = { message: `Incorrect API key provided: ${KEY}.\nLook it up.`, code: "invalid" };
  const where = { provider: "openai", name: "m" } as const;
  const refused = await open(t, where, () => ({ status: 401, json: { error } }));
  const session = refused.engine.open();
  await session.append(ask("x"));
  const message =
    "openai: the provider must answer, got 401 Incorrect API key provided: …. Look it up.";
  await assert.rejects(readAll(session.generate()), {
    code: "PROVIDER",
    message,
  });
  const long = { message: "maximum context length is 8", code: "context_length_exceeded" };
  const full = await open(t, where, () => ({ status: 400, json: { error: long } }));
  const other = full.engine.open();
  await other.append(ask("x"));
  await assert.rejects(readAll(other.generate()), { code: "CONTEXT", message: /maximum/ });
});

test("a stream that breaks off, or never ends, is a failure that keeps what came", async (t) => {
  const where = { provider: "openai", name: "m" } as const;
  for (const then of ["cut", "hang", undefined] as const) {
    const patience = { firstPieceMs: 400, pieceMs: 150, maxRetries: 0 };
    const rule = (): Answer => ({ events: chunks(["half"], null), ...(then ? { then } : {}) });
    const { engine } = await open(t, { ...where, patience }, rule);
    const session = engine.open();
    await session.append(ask("x"));
    const texts: string[] = [];
    const read = async (): Promise<void> => {
      for await (const delta of session.generate())
        if (delta.type === "text-delta") texts.push(delta.text);
    };
    await assert.rejects(read(), { code: "PROVIDER" }, `${then}`);
    assert.deepEqual(texts, ["half"], `${then}`);
    await session.append(ask("y"));
    const state = new TextDecoder().decode((await session.snapshot()).bytes);
    assert.match(state, /"assistant","content":"half"/);
  }
});

test("names and the environment say which model it is", () => {
  const env = { OPENAI_API_KEY: "a", OPENAI_BASE_URL: "http://h/v1/", GEMINI_API_KEY: "g" };
  assert.deepEqual(readRemoteSetting("openai/gpt-x", env), {
    ...{ provider: "openai", name: "gpt-x", baseUrl: "http://h/v1", apiKey: "a" },
  });
  assert.deepEqual(readRemoteSetting("google/g", env), {
    provider: "google",
    name: "g",
    apiKey: "g",
  });
  const hosts = [undefined, "box", "0.0.0.0:99", "https://box/"];
  const urls = hosts.map(
    (OLLAMA_HOST) => readRemoteSetting("ollama/a/b:1", { OLLAMA_HOST })?.baseUrl,
  );
  assert.deepEqual(urls, [
    undefined,
    "http://box:11434/v1",
    "http://127.0.0.1:99/v1",
    "https://box/v1",
  ]);
  assert.equal(readRemoteSetting("ollama/a/b:1", {})?.name, "a/b:1");
  for (const name of ["runs/out/tiny", "model.gguf", "./openai/x", "/openai/x", "toString/x"])
    assert.equal(readRemoteSetting(name, env), undefined);
  const message = /Set ANTHROPIC_API_KEY\.$/;
  assert.throws(() => readRemoteSetting("anthropic/c", env), { code: "CONFIG", message });
  assert.throws(() => readRemoteSetting("openai-compatible/c", {}), { message: /OPENAI_BASE_URL/ });
  assert.throws(() => readRemoteSetting("openai/", env), { code: "CONFIG" });
});
