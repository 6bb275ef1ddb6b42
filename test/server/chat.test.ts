/** Chat as the official client asks for it, over a real socket. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type OpenAI from "openai";
import { serveScript, until } from "./scripted-server.ts";

const ask = { model: "scripted", messages: [{ role: "user" as const, content: "hi" }] };

test("a reply comes whole, with what it cost", async (t) => {
  const { client, log } = await serveScript(t, { script: ["hello there"] });
  const reply = await client.chat.completions.create(ask);
  assert.equal(reply.choices[0]?.message.content, "hello there");
  assert.equal(reply.choices[0]?.finish_reason, "stop");
  assert.equal(reply.object, "chat.completion");
  assert.equal(reply.model, "scripted");
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
