/**
 * Other machines' models against this project's own server, over a real connection; what a model
 * would say is scripted.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openEngine } from "../../../src/llm/engines/open-engine.node.ts";
import { createRemoteEngine, type RemoteSetting } from "../../../src/llm/engines/remote-engine.ts";
import type { Engine, GenerateOptions, ToolDefinition } from "../../../src/llm/inference/engine.ts";
import { createKeyRing } from "../../../src/server/keys.ts";
import { type Serving, serveScript } from "../../server/scripted-server.ts";
import { readAll } from "./read-all.ts";

type Test = Parameters<typeof serveScript>[0];

async function openRemote(
  t: Test,
  serving: Serving,
  setting: Partial<RemoteSetting> = {},
): Promise<{ readonly engine: Engine; readonly seen: GenerateOptions[] }> {
  const seen: GenerateOptions[] = [];
  const { script = () => "hello" } = serving;
  const rule = typeof script === "function" ? script : undefined;
  let next = 0;
  const server = await serveScript(t, {
    ...serving,
    script: (past) => {
      seen.push(past.options);
      return rule?.(past) ?? (script as readonly string[])[next++] ?? "";
    },
  });
  const engine = createRemoteEngine({
    ...{ provider: "openai-compatible", name: "scripted", baseUrl: `${server.url}/v1` },
    ...{ patience: { maxRetries: 0 }, ...setting },
  });
  return { engine, seen };
}

const ask = (content: string) =>
  ({ kind: "messages", messages: [{ role: "user", content }] }) as const;

const weather: ToolDefinition = {
  name: "weather",
  description: "Of a town.",
  parameters: { type: "object", properties: { town: { type: "string" } }, required: ["town"] },
};

test("a conversation goes to and fro, and the provider's counts are taken over", async (t) => {
  const script: Serving["script"] = ({ messages }) =>
    `${messages.length}: ${messages.at(-1)?.content}`;
  const { engine } = await openRemote(t, { script });
  await using session = engine.open();
  await session.append({ kind: "messages", messages: [{ role: "system", content: "Be brief." }] });
  const estimated = await session.append(ask("hello"));
  assert.ok(estimated.promptTokens > 0 && session.length >= estimated.promptTokens);
  const first = await readAll(session.generate());
  assert.equal(first.text, "2: hello");
  assert.equal(first.ended.finishReason, "stop");
  assert.equal(first.ended.usage.completionTokens, 8);
  assert.equal(session.length, first.ended.usage.promptTokens + 8);
  await session.append(ask("again"));
  const second = await readAll(session.generate());
  assert.deepEqual(second.ended.message, { role: "assistant", content: "4: again" });
  assert.equal(session.usage.completionTokens, 16);
  assert.equal(engine.stats().sessions, 1);
});

test("every option arrives as it was said", async (t) => {
  const { engine, seen } = await openRemote(t, {});
  await using session = engine.open();
  await session.append(ask("hi"));
  const sampling = { temperature: 0.5, topP: 0.9, presencePenalty: 0.1, frequencyPenalty: 0.2 };
  const bias = { logitBias: new Map([[7, -5]]), seed: 11 };
  const schema = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] };
  const options = { maxTokens: 3, stop: ["zz"], sampling: { ...sampling, ...bias } };
  await readAll(session.generate({ ...options, format: { kind: "json-schema", schema } }));
  const [got] = seen;
  assert.deepEqual({ ...got?.sampling }, { ...sampling, ...bias });
  assert.deepEqual([got?.maxTokens, got?.stop], [3, ["zz"]]);
  const format = got?.format;
  assert.deepEqual(format?.kind === "json-schema" && format.schema, schema);
});

test("what a provider does not know is refused before anything is sent", async (t) => {
  const { engine, seen } = await openRemote(t, {});
  await using session = engine.open();
  await session.append(ask("hi"));
  const refused: readonly [GenerateOptions, RegExp][] = [
    [{ sampling: { topK: 5 } }, /topK/],
    [{ sampling: { minP: 0.1 } }, /minP/],
    [{ sampling: { repetitionPenalty: 1.1 } }, /repetitionPenalty/],
    [{ logprobs: 2 }, /logprobs/],
    [{ format: { kind: "grammar", grammar: 'root ::= "a"' } }, /grammar/],
  ];
  for (const [options, message] of refused)
    await assert.rejects(readAll(session.generate(options)), { code: "UNSUPPORTED", message });
  const choice = { toolChoice: { name: "weather" } };
  await assert.rejects(readAll(session.generate(choice)), { code: "CONFIG" });
  await assert.rejects(session.append({ kind: "text", text: "a" }), { code: "UNSUPPORTED" });
  await assert.rejects(session.append({ kind: "tokens", ids: [1] }), { code: "UNSUPPORTED" });
  await assert.rejects(session.score(ask("a")), { code: "UNSUPPORTED" });
  await assert.rejects(readAll(engine.open().generate()), { code: "CONFIG" });
  assert.equal(seen.length, 0);
  const noChange = { topP: 1, minP: 0, presencePenalty: 0, repetitionPenalty: 1 };
  await readAll(session.generate({ sampling: noChange }));
  assert.equal(seen.length, 1);
});

test("calls stream in pieces, their results find them, and a choice is passed on", async (t) => {
  const call = { name: "weather", arguments: '{"town": "Bern"}' };
  const script: Serving["script"] = ({ messages }) =>
    messages.at(-1)?.role === "tool" ? `It is ${messages.at(-1)?.content}.` : ["Well. ", { call }];
  const { engine, seen } = await openRemote(t, { script });
  await using session = engine.open();
  await session.append({ ...ask("weather?"), tools: [weather] });
  const { deltas, ended, text } = await readAll(session.generate({ toolChoice: "required" }));
  assert.equal(seen[0]?.toolChoice, "required");
  assert.deepEqual([text, ended.finishReason], ["Well. ", "tool-calls"]);
  const [made] = ended.message.toolCalls ?? [];
  assert.deepEqual([made?.name, made?.arguments], [call.name, call.arguments]);
  const start = deltas.find((delta) => delta.type === "tool-call-start");
  assert.deepEqual(start, { type: "tool-call-start", index: 0, id: made?.id, name: "weather" });
  const pieces = deltas.filter((delta) => delta.type === "tool-call-delta");
  assert.equal(pieces.map((delta) => delta.text).join(""), call.arguments);
  await assert.rejects(readAll(session.generate()), { code: "CONFIG", message: /weather/ });
  const id = made?.id as string;
  const result = { role: "tool", callId: id, content: "sunny" } as const;
  await session.append({ kind: "messages", messages: [result] });
  assert.equal((await readAll(session.generate())).text, "It is sunny.");
});

test("a fork and a restored session have the same past and a future of their own", async (t) => {
  const script: Serving["script"] = ({ messages }) =>
    messages.map(({ content }) => content).join("+");
  const { engine } = await openRemote(t, { script });
  await using session = engine.open();
  await session.append(ask("a"));
  await readAll(session.generate());
  await using fork = await session.fork();
  await using restored = await engine.restore(await session.snapshot());
  assert.deepEqual([fork.length, restored.length], [session.length, session.length]);
  assert.equal(fork.usage.promptTokens, 0);
  for (const [one, word] of [
    [session, "b"],
    [fork, "c"],
    [restored, "d"],
  ] as const) {
    await one.append(ask(word));
    assert.equal((await readAll(one.generate())).text, `a+a+${word}`);
  }
  const snapshot = await session.snapshot();
  await assert.rejects(engine.restore({ ...snapshot, model: "x" }), { code: "CHECKPOINT" });
  const torn = { ...snapshot, bytes: snapshot.bytes.subarray(1) };
  await assert.rejects(engine.restore(torn), { code: "CHECKPOINT" });
});

test("a reply that is taken back keeps what came, and the next message closes it", async (t) => {
  const script: Serving["script"] = ({ messages }) =>
    messages.length > 1
      ? messages.map(({ role }) => role).join()
      : ["one ", "two ", { waitMs: 9000 }];
  const { engine } = await openRemote(t, { script });
  await using session = engine.open();
  await session.append(ask("count"));
  const taken = new AbortController();
  const reply = session.generate({ signal: taken.signal });
  let text = "";
  let next = await reply.next();
  while (!next.done) {
    if (next.value.type === "text-delta") text += next.value.text;
    if (text === "one two ") taken.abort();
    next = await reply.next();
  }
  assert.deepEqual([next.value.finishReason, next.value.message.content], ["aborted", "one two "]);
  await assert.rejects(readAll(session.generate()), { code: "UNSUPPORTED", message: /go on/ });
  await session.append(ask("and?"));
  assert.equal((await readAll(session.generate())).text, "user,assistant,user");
  await session.append(ask("no"));
  const early = await readAll(session.generate({ signal: AbortSignal.abort() }));
  assert.deepEqual([early.ended.finishReason, early.text], ["aborted", ""]);
});

test("a name and an address open it; options of local weights are none of its", async (t) => {
  const { url } = await serveScript(t, {});
  const baseUrl = `${url}/v1`;
  const named = { baseUrl, id: "far", weights: "bf16" } as const;
  await using engine = await openEngine("openai-compatible/scripted", named);
  assert.deepEqual([engine.model.id, engine.model.provider], ["far", "openai-compatible"]);
  await using session = engine.open();
  await session.append(ask("x"));
  assert.equal((await readAll(session.generate())).text, "hello");
  const other = { baseUrl, weights: "q8_0" } as const;
  const refused = { code: "UNSUPPORTED", message: /weights/ };
  await assert.rejects(openEngine("openai-compatible/scripted", other), refused);
});

test("a limit ends it with length", async (t) => {
  const { engine } = await openRemote(t, { script: ["abcdef"] });
  await using session = engine.open();
  await session.append(ask("x"));
  const { text, ended } = await readAll(session.generate({ maxTokens: 4 }));
  assert.deepEqual([text, ended.finishReason], ["abcd", "length"]);
});

test("failures say status and words, never the key", async (t) => {
  const keys = createKeyRing(["right-key-123456"]);
  const apiKey = "wrong-key-123456";
  const { engine } = await openRemote(t, { settings: { keys } }, { apiKey });
  await using session = engine.open();
  await session.append(ask("x"));
  await assert.rejects(readAll(session.generate()), (error: Error & { code?: string }) => {
    assert.equal(error.code, "PROVIDER");
    assert.match(error.message, /openai-compatible: .*401/);
    assert.doesNotMatch(JSON.stringify([error.message, error.cause]), /wrong-key/);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
  const nobody = createRemoteEngine({
    ...{ provider: "ollama", name: "m", baseUrl: "http://127.0.0.1:1/v1" },
    patience: { maxRetries: 0 },
  });
  const alone = nobody.open();
  await alone.append(ask("x"));
  await assert.rejects(readAll(alone.generate()), { code: "PROVIDER" });
});

test("a limit of requests is waited for once, and given up on when none is left", async (t) => {
  const { engine, seen } = await openRemote(t, { settings: { requestsPerMinute: 1 } });
  await using session = engine.open();
  await session.append(ask("x"));
  await readAll(session.generate());
  await session.append(ask("y"));
  await assert.rejects(readAll(session.generate()), { code: "PROVIDER", message: /429/ });
  assert.equal(seen.length, 1);
});

test("embeddings have length 1", async (t) => {
  const { engine } = await openRemote(t, {});
  const { vectors, promptTokens } = await engine.embed(["ab", "ba", "zz"]);
  assert.equal(vectors.length, 3);
  for (const vector of vectors) assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-6);
  assert.deepEqual([...(vectors[0] ?? [])], [...(vectors[1] ?? [])]);
  assert.ok(promptTokens > 0);
});
