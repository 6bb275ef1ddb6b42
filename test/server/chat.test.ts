/** Chat as the official client asks for it, over a real socket. */
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { NutshellError } from "../../src/error.ts";
import type { ScriptedPast, ScriptedReply } from "../../src/llm/engines/script.ts";
import { noSessions, serveScript, until } from "./scripted-server.ts";

const messages = [{ role: "user" as const, content: "hi" }];
const ask = { model: "scripted", messages };
const weather = {
  type: "function" as const,
  function: {
    name: "weather",
    description: "of a town",
    parameters: { type: "object", properties: { town: { type: "string" } } },
  },
};
const call = (town: string) => ({ call: { name: "weather", arguments: `{"town":"${town}"}` } });

/** A script that keeps what it was asked. */
function listen(reply: ScriptedReply = "ok"): {
  asked: ScriptedPast[];
  script: () => ScriptedReply;
} {
  const asked: ScriptedPast[] = [];
  const script = (past?: ScriptedPast): ScriptedReply => {
    if (past !== undefined) asked.push(past);
    return reply;
  };
  return { asked, script };
}

test("a reply comes whole, with what it cost", async (t) => {
  const { client, log } = await serveScript(t, { script: ["hello there"] });
  const reply = await client.chat.completions.create(ask);
  assert.equal(reply.choices[0]?.message.content, "hello there");
  assert.equal(reply.choices[0]?.finish_reason, "stop");
  assert.equal(reply.object, "chat.completion");
  assert.equal(reply.model, "scripted");
  assert.match(reply._request_id ?? "", /^req_/);
  assert.deepEqual(
    [reply.usage?.prompt_tokens, reply.usage?.completion_tokens, reply.usage?.total_tokens],
    [2, 11, 13],
  );
  await until(() => log.length === 1, "a line of log");
  const [line] = log;
  assert.equal(line?.route, "/v1/chat/completions");
  assert.equal(line?.status, 200);
  assert.equal(line?.completionTokens, 11);
  assert.ok(!JSON.stringify(log).includes("hello"), "the log tells no text");
});

test("a stream gives the same text, then usage, then its end", async (t) => {
  const { client } = await serveScript(t, { script: [["hel", "lo ", "wörld 🌍"]] });
  const options = { stream: true, stream_options: { include_usage: true } } as const;
  let text = "";
  let usage: OpenAI.CompletionUsage | null | undefined;
  const reasons: string[] = [];
  for await (const chunk of await client.chat.completions.create({ ...ask, ...options })) {
    text += chunk.choices[0]?.delta.content ?? "";
    if (chunk.choices[0]?.finish_reason) reasons.push(chunk.choices[0].finish_reason);
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, "hello wörld 🌍");
  assert.deepEqual(reasons, ["stop"]);
  assert.equal(usage?.completion_tokens, 13);
});

test("every option reaches the engine under our name for it", async (t) => {
  const { asked, script } = listen();
  const { post } = await serveScript(t, { script });
  const schema = { type: "object", properties: { a: { type: "number" } } };
  const reply = await post("/v1/chat/completions", {
    messages: [
      { role: "developer", content: "be kind" },
      {
        role: "user",
        content: [
          { type: "text", text: "one " },
          { type: "text", text: "two" },
        ],
      },
    ],
    temperature: 0.5,
    top_p: 0.9,
    top_k: 7,
    min_p: 0.1,
    repetition_penalty: 1.1,
    frequency_penalty: 0.2,
    presence_penalty: -0.3,
    logit_bias: { "65": -100 },
    seed: -1,
    max_completion_tokens: 5,
    stop: ["x", "y"],
    logprobs: true,
    top_logprobs: 3,
    response_format: { type: "json_schema", json_schema: { name: "a", schema, strict: true } },
    user: "u",
    store: false,
    metadata: {},
    service_tier: "auto",
  });
  assert.equal(reply.status, 200);
  const [{ messages: said, options }] = asked as [ScriptedPast];
  assert.deepEqual(said, [
    { role: "system", content: "be kind" },
    { role: "user", content: "one two" },
  ]);
  const { signal, ...rest } = options;
  assert.ok(signal);
  assert.deepEqual(rest, {
    maxTokens: 5,
    stop: ["x", "y"],
    logprobs: 3,
    format: { kind: "json-schema", schema },
    sampling: {
      temperature: 0.5,
      topK: 7,
      topP: 0.9,
      minP: 0.1,
      repetitionPenalty: 1.1,
      frequencyPenalty: 0.2,
      presencePenalty: -0.3,
      logitBias: new Map([[65, -100]]),
      seed: 2 ** 32 - 1,
    },
  });
});

test("one call of a function, whole and streamed, and its result on the way back", async (t) => {
  const { asked, script } = listen([call("Ulm")]);
  const { client } = await serveScript(t, { script });
  const offered = { ...ask, tools: [weather], tool_choice: "required" as const };
  const reply = await client.chat.completions.create(offered);
  const [made] = reply.choices[0]?.message.tool_calls ?? [];
  assert.ok(made?.type === "function");
  assert.deepEqual(made.function, { name: "weather", arguments: '{"town":"Ulm"}' });
  assert.equal(reply.choices[0]?.message.content, null);
  assert.equal(reply.choices[0]?.finish_reason, "tool_calls");
  assert.equal(asked[0]?.options.toolChoice, "required");
  const [input] = asked[0]?.inputs ?? [];
  assert.ok(input?.kind === "messages");
  assert.deepEqual(input.tools, [weather.function]);

  const answer = { role: "tool" as const, tool_call_id: made.id, content: "rain" };
  const history = [...messages, reply.choices[0]?.message as OpenAI.ChatCompletionMessage, answer];
  const stream = client.chat.completions.stream({ ...offered, messages: history });
  const final = await stream.finalChatCompletion();
  assert.equal(final.choices[0]?.message.tool_calls?.length, 1);
  assert.deepEqual(asked[1]?.messages.slice(1), [
    {
      role: "assistant",
      content: "",
      toolCalls: [{ id: made.id, name: "weather", arguments: '{"town":"Ulm"}' }],
    },
    { role: "tool", callId: made.id, content: "rain" },
  ]);
});

test("parallel calls keep their places; parallel_tool_calls: false ends behind the first", async (t) => {
  const { client, engine } = await serveScript(t, {
    script: () => ["I look. ", call("Ulm"), call("Bonn")],
  });
  const offered = { ...ask, tools: [weather] };
  for (const parallel_tool_calls of [true, false]) {
    const towns = parallel_tool_calls ? ["Ulm", "Bonn"] : ["Ulm"];
    const asked = { ...offered, parallel_tool_calls };
    const whole = await client.chat.completions.create(asked);
    const stream = await client.chat.completions.stream(asked).finalChatCompletion();
    for (const reply of [whole, stream]) {
      const calls = reply.choices[0]?.message.tool_calls ?? [];
      assert.deepEqual(
        calls.map((made) => made.type === "function" && JSON.parse(made.function.arguments).town),
        towns,
      );
      assert.equal(reply.choices[0]?.message.content, "I look. ");
      assert.equal(reply.choices[0]?.finish_reason, "tool_calls");
    }
    await noSessions(engine);
  }
});

test("n texts are made side by side, each with its own seed, the prompt paid once", async (t) => {
  const script = ({ options }: ScriptedPast) => `seed ${options.sampling?.seed}`;
  const { client } = await serveScript(t, { script });
  const asked = { ...ask, n: 3, seed: 5 };
  const reply = await client.chat.completions.create(asked);
  assert.deepEqual(
    reply.choices.map(({ index, message }) => [index, message.content]),
    [
      [0, "seed 5"],
      [1, "seed 6"],
      [2, "seed 7"],
    ],
  );
  assert.equal(reply.usage?.prompt_tokens, 2);
  assert.equal(reply.usage?.completion_tokens, 18);
  const texts = ["", "", ""];
  for await (const { choices } of await client.chat.completions.create({ ...asked, stream: true }))
    for (const { index, delta } of choices) texts[index] += delta.content ?? "";
  assert.deepEqual(texts, ["seed 5", "seed 6", "seed 7"]);
});

test("log-probabilities come with bytes, whole and streamed", async (t) => {
  const { client } = await serveScript(t, {
    script: () => [
      { text: "aé", logprob: -0.5 },
      { text: "b", logprob: -Infinity },
    ],
  });
  const asked = { ...ask, logprobs: true, top_logprobs: 1 };
  const reply = await client.chat.completions.create(asked);
  const content = reply.choices[0]?.logprobs?.content ?? [];
  assert.deepEqual(
    content.map(({ token, logprob, bytes }) => [token, logprob, bytes]),
    [
      ["a", -0.5, [97]],
      ["é", -0.5, [195, 169]],
      ["b", -9999, [98]],
    ],
  );
  assert.equal(content[0]?.top_logprobs[0]?.token, "a");
  const streamed = await client.chat.completions.stream(asked).finalChatCompletion();
  assert.deepEqual(streamed.choices[0]?.logprobs?.content, content);
});

test("maxTokens and stop texts end a reply with their reason", async (t) => {
  const { client } = await serveScript(t, { script: () => "one two three" });
  const short = await client.chat.completions.create({ ...ask, max_tokens: 5 });
  assert.deepEqual(
    [short.choices[0]?.message.content, short.choices[0]?.finish_reason],
    ["one t", "length"],
  );
  const stopped = await client.chat.completions.create({ ...ask, stop: " three" });
  assert.deepEqual(
    [stopped.choices[0]?.message.content, stopped.choices[0]?.finish_reason],
    ["one two", "stop"],
  );
});

test("a client that breaks off frees its timeline at once", async (t) => {
  const script = () => Array.from({ length: 2000 }, () => [{ waitMs: 5 }, "word "]).flat();
  const { client, engine, log } = await serveScript(t, { script });
  const stream = await client.chat.completions.create({ ...ask, stream: true, n: 2 });
  for await (const chunk of stream) if (chunk.choices[0]?.delta.content === "word ") break;
  await noSessions(engine);
  const controller = new AbortController();
  const whole = client.chat.completions.create(ask, { signal: controller.signal });
  await until(() => engine.stats().running === 1, "it runs");
  controller.abort();
  await assert.rejects(whole, OpenAI.APIUserAbortError);
  await noSessions(engine);
  await until(() => log.length === 2, "two lines of log");
  assert.deepEqual(
    log.map(({ status, cut }) => [status, cut]),
    [
      [200, "closed"],
      [499, "closed"],
    ],
  );
});

test("what fails before the first token has a status, what fails later an event", async (t) => {
  const script = () => ["so far ", { error: new NutshellError("PROVIDER", "secret sauce") }];
  const serving = { script, engine: { model: { contextLen: 50 } } };
  const { client, post, log } = await serveScript(t, serving);
  const long = [{ role: "user" as const, content: "x".repeat(51) }];
  for (const stream of [true, false]) {
    await assert.rejects(client.chat.completions.create({ ...ask, messages: long, stream }), {
      status: 400,
      code: "context_length_exceeded",
    });
  }
  await assert.rejects(client.chat.completions.create(ask), { status: 502, code: "provider" });
  let text = "";
  const stream = await client.chat.completions.create({ ...ask, stream: true });
  await assert.rejects(
    async () => {
      for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
    },
    (error) => error instanceof OpenAI.APIError && error.code === "provider",
  );
  assert.equal(text, "so far ");
  const raw = await (await post("/v1/chat/completions", { ...ask, stream: true })).text();
  assert.ok(!raw.includes("[DONE]"), "a text that broke off is not done");
  assert.ok(!raw.includes("secret sauce"));
  assert.ok(!JSON.stringify(log).includes("secret sauce"));
});

test("our own bugs are told without their text, and logged with their place", async (t) => {
  const script = () => [{ error: new TypeError("the prompt was: my diary") }];
  const { post, log } = await serveScript(t, { script });
  const reply = await post("/v1/chat/completions", ask);
  assert.equal(reply.status, 500);
  const { error } = (await reply.json()) as { error: { type: string; message: string } };
  assert.equal(error.type, "server_error");
  assert.ok(!error.message.includes("diary"));
  await until(() => log.length === 2, "a failure and a request in the log");
  assert.equal(log[0]?.failure, "TypeError");
  assert.equal(log[0]?.id, reply.headers.get("x-request-id"));
  assert.match(String(log[0]?.at), /\.ts:\d+/);
  assert.ok(!JSON.stringify(log).includes("diary"));
});
