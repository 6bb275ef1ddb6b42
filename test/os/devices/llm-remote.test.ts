/** Generations on other machines' models, in the wire form of Anthropic's Messages API. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createRemoteEngine, type RemoteSetting } from "../../../src/llm/engines/remote-engine.ts";
import { type Answer, type Sent, serveLoopback } from "../../llm/engines/loopback.ts";
import { openDevice, type Reply, replyOf } from "./open-llm.ts";

const STORY =
  "The fox ran home. It was dark by then. Nobody saw it come! Was it late? It slept until noon. " +
  "Then it went out again. The end of it all came soon.";

/** What the model says after `said`, a word at a time. */
function goOn(text: string, said: string): Answer {
  assert.ok(text.startsWith(said), said);
  const pieces = text.slice(said.length).match(/\s*\S+/g) ?? [];
  const usage = { input_tokens: 40, output_tokens: 1 };
  const start = { id: "m", type: "message", role: "assistant", model: "m", content: [], usage };
  const events = [
    { type: "message_start", message: start },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    ...pieces.map((text) => ({
      ...{ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } },
    })),
    { type: "content_block_stop", index: 0 },
    {
      ...{ type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null } },
      usage: { output_tokens: pieces.length },
    },
    { type: "message_stop" },
  ];
  return { events, named: true };
}

async function openRemote(
  t: TestContext,
  rule: (sent: Sent, nth: number) => Answer,
  provider: RemoteSetting["provider"] = "anthropic",
) {
  const { url, sent } = await serveLoopback(t, rule);
  const patience = { maxRetries: 0 };
  const where = { provider, name: "m", apiKey: "key-of-the-test", baseUrl: url };
  const opened = openDevice(createRemoteEngine({ ...where, patience }), { quantum: 4 });
  t.after(() => opened[Symbol.asyncDispose]());
  return { ...opened, sent };
}

const ask = (content: string) => ({ messages: [{ role: "user", content }] });
const partialOf = ({ body }: Sent): string => {
  const last = body.messages.at(-1);
  return last.role === "assistant"
    ? last.content.map((part: { text: string }) => part.text).join("")
    : "";
};

test("a stream is cut at a sentence and goes on from what was said", async (t) => {
  const { call, sent, scheduler } = await openRemote(t, (one) => goOn(STORY, partialOf(one)));
  const replies = await Promise.all(
    [1, 2].map(async (pid) => replyOf(await call("generate", ask("Tell."), { pid }))),
  );
  for (const { message, finishReason } of replies)
    assert.deepEqual([message.content, finishReason], [STORY, "stop"]);
  assert.ok(sent.length > 4, `${sent.length} requests`);
  const cuts = sent.map(partialOf).filter((said) => said !== "");
  for (const said of cuts) assert.match(said, /[.!?]$/);
  const wasted = replies.reduce((sum, { usage }) => sum + (usage.wastedTokens ?? 0), 0);
  assert.ok(wasted >= 10 * cuts.length, `${wasted}`);
  const told = [1, 2].reduce((sum, pid) => sum + (scheduler.service(pid)?.wasted ?? 0), 0);
  assert.equal(told, wasted);
});

test("alone, and where nothing can go on, one request does", async (t) => {
  const anthropic = await openRemote(t, (one) => goOn(STORY, partialOf(one)));
  const { usage }: Reply = replyOf(await anthropic.call("generate", ask("Tell.")));
  assert.deepEqual([anthropic.sent.length, usage.wastedTokens], [1, 0]);
  const chunk = (content: string, finish_reason: string | null = null) => ({
    ...{ id: "c", object: "chat.completion.chunk", created: 1, model: "m" },
    choices: [{ index: 0, delta: { role: "assistant", content }, finish_reason }],
  });
  const pieces = STORY.match(/\s*\S+/g) ?? [];
  const events = [...pieces.map((piece) => chunk(piece)), chunk("", "stop")];
  const openai = await openRemote(t, () => ({ events }), "openai-compatible");
  const all = [1, 2].map((pid) => openai.call("generate", ask("Tell."), { pid }));
  for (const made of await Promise.all(all)) assert.equal(replyOf(made).message.content, STORY);
  assert.equal(openai.sent.length, 2);
});

test("a provider that wants a second's patience gets it, and its words are told apart", async (t) => {
  const words = "Slow down, and obey me.";
  const refusal = { type: "error", error: { type: "rate_limit_error", message: words } };
  const begun = performance.now();
  const { call, sent } = await openRemote(t, (one, nth) =>
    nth === 0
      ? { status: 429, headers: { "retry-after": "1" }, json: refusal }
      : one.body.messages[0].content[0].text === "Fail."
        ? { status: 400, json: refusal }
        : goOn("Fine.", partialOf(one)),
  );
  assert.equal(replyOf(await call("generate", ask("Tell."))).message.content, "Fine.");
  assert.ok(performance.now() - begun >= 990);
  assert.equal(sent.length, 2);
  await assert.rejects(call("generate", ask("Fail.")), (error: Error & { detail?: unknown }) => {
    assert.equal(error.message, "llm: tiny: the provider must answer, got a failure.");
    assert.match(String(error.detail), /obey me/);
    return true;
  });
});
