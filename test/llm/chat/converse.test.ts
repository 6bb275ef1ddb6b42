/** A chat on a real generator: events, what the model reads next, what it forgets. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import type { ChatEvent } from "../../../src/llm/chat/chat-events.ts";
import { type Chat, createChat, type Reply } from "../../../src/llm/chat/converse.ts";
import { createGenerator, type TokenGenerator } from "../../../src/llm/inference/generator.ts";
import {
  asksClock,
  chattingConfig,
  chattingStore,
  speaksForTheUser,
  talksOn,
} from "./chatting-model.ts";
import { chatTokenizer, idsOf } from "./tokenizer.ts";

const NOW = "Thursday 2024-05-16 14:03 UTC";
const world = () => ({ now: new Date("2024-05-16T14:03:00Z"), files: {} });

interface Talk {
  readonly chat: Chat;
  /** Every prompt that the model was given, marks spelled out. */
  readonly prompts: string[];
}

async function open(t: TestContext, chains = asksClock, system?: string): Promise<Talk> {
  const store = await chattingStore(chains);
  const backend = createReferenceBackend();
  const generator = createGenerator(backend, store, chattingConfig, { precision: "f32" });
  t.after(() => generator.dispose());
  const prompts: string[] = [];
  const watched: TokenGenerator = {
    ...generator,
    generate(ids, options) {
      prompts.push(chatTokenizer.decode(ids, { specials: true }));
      return generator.generate(ids, options);
    },
  };
  return { chat: createChat(watched, chatTokenizer, { system, world }), prompts };
}

async function ask(
  { chat }: Talk,
  text: string,
  options: { maxTokens?: number; signal?: AbortSignal } = {},
): Promise<{ events: ChatEvent[]; reply: Reply }> {
  const events: ChatEvent[] = [];
  const said = chat.say(text, { temperature: 0, seed: 1, maxTokens: 40, ...options });
  let next = await said.next();
  for (; next.done !== true; next = await said.next()) events.push(next.value);
  return { events, reply: next.value };
}

test("a call is run while the model speaks, and it goes on from the result", async (t) => {
  const talk = await open(t);
  const { events, reply } = await ask(talk, "Q");
  assert.deepEqual(events, [
    { kind: "tool-call", text: "clock {}" },
    { kind: "tool-result", text: NOW },
    ...[..."Done."].map((text) => ({ kind: "text-delta", text })),
  ]);
  assert.deepEqual(reply, {
    messages: [
      { role: "assistant", content: "", toolCalls: [{ name: "clock", arguments: "{}" }] },
      { role: "tool", content: NOW },
      { role: "assistant", content: "Done." },
    ],
    wellFormed: true,
    promptTokens: 5,
    tokens: 11,
    finishReason: "stop",
    forgotten: 0,
  });
});

test("the next question is read after all that was said, ids as they were", async (t) => {
  const talk = await open(t, asksClock, "S");
  await ask(talk, "Q");
  await ask(talk, "R");
  const [first, second, third] = talk.prompts;
  const start = "<|bos|><|system_start|>S<|system_end|>";
  const asked = "<|user_start|>Q<|user_end|><|assistant_start|>";
  const call = "<|call_start|>clock {}<|call_end|><|assistant_end|>";
  const result = `<|tool_start|>${NOW}<|tool_end|><|assistant_start|>`;
  assert.equal(first, start + asked);
  assert.equal(second, start + asked + call + result);
  const next = "Done.<|assistant_end|><|user_start|>R<|user_end|><|assistant_start|>";
  assert.equal(third, start + asked + call + result + next);
});

test("reset forgets all but the system message", async (t) => {
  const talk = await open(t, asksClock, "S");
  await ask(talk, "Q");
  talk.chat.reset();
  await ask(talk, "Q");
  assert.equal(talk.prompts[2], talk.prompts[0]);
});

test("when the context is full the oldest exchanges go, the system message stays", async (t) => {
  const talk = await open(t, talksOn, "S");
  const question = "q".repeat(20);
  const replies: Reply[] = [];
  for (let i = 0; i < 5; i++) replies.push((await ask(talk, question, { maxTokens: 10 })).reply);
  // 4 + 23 asked + 11 answered = 38 tokens with the first; two exchanges and a third would be 95,
  // and 10 must stay free of 96.
  assert.deepEqual(
    replies.map(({ forgotten }) => forgotten),
    [0, 0, 1, 1, 1],
  );
  for (const prompt of talk.prompts.slice(2)) {
    assert.equal(prompt.split(question).length, 3);
    assert.ok(prompt.startsWith("<|bos|><|system_start|>S<|system_end|><|user_start|>q"));
    assert.ok(idsOf(prompt).length <= 86);
  }
  assert.ok(replies.every(({ finishReason }) => finishReason === "length"));
});

test("a question that leaves no room is refused, and the chat goes on without it", async (t) => {
  const talk = await open(t, talksOn);
  await assert.rejects(ask(talk, "q".repeat(80)), {
    code: "CONFIG",
    message:
      "chat: system message and question must leave room for an answer, in 72 tokens, got 84. Ask in fewer words.",
  });
  await ask(talk, "a", { maxTokens: 1 });
  assert.deepEqual(talk.prompts, ["<|bos|><|user_start|>a<|user_end|><|assistant_start|>"]);
});

test("a reply may end at maxTokens, its tools' results not counted", async (t) => {
  const talk = await open(t);
  const { reply } = await ask(talk, "Q", { maxTokens: 7 });
  assert.equal(reply.finishReason, "length");
  assert.equal(reply.tokens, 7);
  assert.equal(reply.messages.at(-1)?.content, "Do");
  assert.equal(reply.wellFormed, false);
  await ask(talk, "R", { maxTokens: 1 });
  assert.ok(talk.prompts.at(-1)?.includes("Do<|assistant_end|><|user_start|>R"));
});

test("a model that speaks for the user is stopped, and the mark is not kept", async (t) => {
  const talk = await open(t, speaksForTheUser);
  const { reply } = await ask(talk, "Q");
  assert.deepEqual(reply.messages, [{ role: "assistant", content: "Done." }]);
  assert.deepEqual([reply.finishReason, reply.wellFormed, reply.tokens], ["stop", false, 6]);
  await ask(talk, "R");
  assert.ok(talk.prompts[1]?.includes("Done.<|assistant_end|><|user_start|>R<|user_end|>"));
});

test("a result that fills the context ends the reply", async (t) => {
  const talk = await open(t, asksClock, "s".repeat(30));
  const { reply } = await ask(talk, "q".repeat(28));
  assert.equal(reply.finishReason, "length");
  assert.equal(reply.messages.at(-1)?.content, "");
});

test("the signal ends a reply where it is; the next one is whole", async (t) => {
  const talk = await open(t);
  const controller = new AbortController();
  const sampling = { temperature: 0, seed: 1, maxTokens: 40, signal: controller.signal };
  const said = talk.chat.say("Q", sampling);
  for (let event = await said.next(); ; event = await said.next()) {
    if (event.done) {
      assert.equal(event.value.finishReason, "aborted");
      break;
    }
    if (event.value.kind === "text-delta") controller.abort();
  }
  const { reply } = await ask(talk, "R");
  assert.equal(reply.finishReason, "stop");
  assert.equal(reply.messages.at(-1)?.content, "Done.");
});
