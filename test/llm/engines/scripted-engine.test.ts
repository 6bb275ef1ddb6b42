/** The scripted engine keeps the contract of `Session`, so that tests over it mean something. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NutshellError } from "../../../src/error.ts";
import type { Script } from "../../../src/llm/engines/script.ts";
import { createScriptedEngine } from "../../../src/llm/engines/scripted-engine.ts";
import type { GenerateOptions, Session } from "../../../src/llm/inference/engine.ts";
import { readAll } from "./read-all.ts";

const ask = { kind: "messages", messages: [{ role: "user", content: "Hi" }] } as const;

async function opened(script: Script): Promise<Session> {
  const session = createScriptedEngine(script).open();
  await session.append(ask);
  return session;
}

const play = (session: Session, options: GenerateOptions = {}) =>
  readAll(session.generate(options));

test("replies come in order, then the script is over", async () => {
  const session = await opened(["one", ["t", "wo"]]);
  assert.equal((await play(session)).ended.message.content, "one");
  const { deltas, ended } = await play(session);
  assert.deepEqual(deltas, [
    { type: "text-delta", text: "t" },
    { type: "text-delta", text: "wo" },
  ]);
  assert.equal(ended.usage.completionTokens, 3);
  assert.deepEqual([session.length, session.usage.completionTokens], [8, 6]);
  await assert.rejects(play(session), { code: "PROVIDER", message: /got 2/ });
});

test("a rule sees messages and options", async () => {
  const session = await opened(
    ({ messages, options }) => `${messages.length} ${options.maxTokens}`,
  );
  assert.equal((await play(session, { maxTokens: 9 })).ended.message.content, "1 9");
});

test("a reply cut by its limit goes on, unless something came in between", async () => {
  const session = await opened(["abcdef", "new"]);
  const cut = await play(session, { maxTokens: 4 });
  assert.deepEqual([cut.ended.message.content, cut.ended.finishReason], ["abcd", "length"]);
  const fork = await session.fork();
  assert.equal((await play(fork)).ended.message.content, "ef");
  await session.append(ask);
  assert.equal((await play(session)).ended.message.content, "new");
});

test("stop texts across pieces are not part of the reply", async () => {
  const { deltas, ended } = await play(await opened([["one E", "N", "D two"]]), { stop: ["END"] });
  assert.equal(ended.message.content, "one ");
  assert.equal(ended.finishReason, "stop");
  assert.deepEqual(deltas, [{ type: "text-delta", text: "one " }]);
});

test("calls, errors, waits that a signal ends", async () => {
  const call = { name: "clock", arguments: '{"a":1}' };
  const asked = await play(await opened([[{ call }]]));
  assert.equal(asked.ended.finishReason, "tool-calls");
  assert.deepEqual(asked.ended.message.toolCalls, [{ id: "call_0", ...call }]);
  const pieces = asked.deltas.map((d) => (d.type === "tool-call-delta" ? d.text : ""));
  assert.equal(pieces.join(""), call.arguments);

  const small = await opened([[{ call }]]);
  const cut = await play(small, { maxTokens: 9 });
  assert.deepEqual([cut.ended.finishReason, cut.deltas], ["length", []]);
  assert.equal((await play(small)).ended.finishReason, "tool-calls");

  const error = new NutshellError("PROVIDER", "gone");
  await assert.rejects(play(await opened([["a", { error }]])), error);

  const controller = new AbortController();
  const waiting = play(await opened([["a", { waitMs: 1e6 }, "b"]]), controller);
  setTimeout(() => controller.abort(), 5);
  const { ended } = await waiting;
  assert.deepEqual([ended.finishReason, ended.message.content], ["aborted", "a"]);
});

test("log-probabilities, scores, embeddings, snapshots, a full context", async () => {
  const engine = createScriptedEngine([[{ text: "é", logprob: -2 }]], { model: { contextLen: 4 } });
  const session = engine.open();
  const scores = await session.score({ kind: "text", text: "ab" }, { top: 1 });
  assert.deepEqual(
    scores.map(({ logprob, top }) => [logprob, top.length]),
    [
      [Number.NaN, 0],
      [0, 1],
    ],
  );
  const { deltas } = await play(session, { logprobs: 1 });
  const token = { id: 0xe9, bytes: Uint8Array.of(0xc3, 0xa9), logprob: -2 };
  assert.deepEqual(deltas, [
    { type: "text-delta", text: "é", tokens: [{ ...token, top: [token] }] },
  ]);
  const restored = await engine.restore(await session.snapshot());
  assert.equal(restored.length, 3);
  await assert.rejects(restored.append({ kind: "text", text: "xy" }), { code: "CONTEXT" });
  assert.equal(restored.length, 3);
  const { vectors } = await engine.embed(["a", ""]);
  for (const vector of vectors) assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-6);
  assert.equal(engine.stats().sessions, 2);
  await session[Symbol.asyncDispose]();
  assert.equal(engine.stats().sessions, 1);
});
