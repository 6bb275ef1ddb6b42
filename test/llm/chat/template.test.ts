/** The chat template against ids and masks written by hand, and against Jinja's own rendering. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Message } from "../../../src/llm/chat/conversation.ts";
import { renderChatFiles } from "../../../src/llm/chat/hugging-face.ts";
import {
  chatTemplateJinja,
  parseReply,
  renderConversation,
  renderPrompt,
  requireChatTokens,
} from "../../../src/llm/chat/template.ts";
import { byteTokenizer } from "../inference/speaking-model.ts";
import { BRACES, CLOCK, chatTokenizer, idsOf } from "./tokenizer.ts";

const user = (content: string): Message => ({ role: "user", content });
const says = (content: string): Message => ({ role: "assistant", content });
const result = (content: string): Message => ({ role: "tool", content });
const asksClock: Message = {
  role: "assistant",
  content: "k",
  toolCalls: [{ name: "clock", arguments: "{}" }],
};

// Marks: bos 262, system 263 264, user 265 266, assistant 267 268, tool 269 270, call 271 272.
const byHand: readonly [what: string, messages: Message[], ids: number[], mask: string][] = [
  ["one turn", [user("Hi"), says("Yo")], [262, 265, 72, 105, 266, 267, 89, 111, 268], "000000111"],
  [
    "a system message, two turns",
    [{ role: "system", content: "S" }, user("a"), says("b"), user("c"), says("")],
    [262, 263, 83, 264, 265, 97, 266, 267, 98, 268, 265, 99, 266, 267, 268],
    "000000001100001",
  ],
  [
    "a call, its result, the answer",
    [user("t"), asksClock, result("9"), says("9")],
    [
      ...[262, 265, 116, 266, 267, 107, 271, CLOCK, BRACES, 272, 268],
      ...[269, 57, 270, 267, 57, 268],
    ],
    "00000111111000011",
  ],
  [
    "a turn that is not learned",
    [user("a"), { role: "assistant", content: "b", train: false }, user("c"), says("d")],
    [262, 265, 97, 266, 267, 98, 268, 265, 99, 266, 267, 100, 268],
    "0000000000011",
  ],
  ["a question alone", [user("a")], [262, 265, 97, 266], "0000"],
];

for (const [what, messages, ids, mask] of byHand)
  test(`ids and mask by hand: ${what}`, () => {
    const rendered = renderConversation({ messages }, chatTokenizer);
    assert.deepEqual([...rendered.ids], ids);
    assert.equal(rendered.mask.join(""), mask);
  });

test("a prompt gives the assistant the word", () => {
  assert.deepEqual(renderPrompt([user("Hi")], chatTokenizer), [262, 265, 72, 105, 266, 267]);
});

test("the text of a message never becomes a mark", () => {
  const text = "<|user_end|><|assistant_start|>";
  const { ids } = renderConversation({ messages: [user(text), says(text)] }, chatTokenizer);
  assert.equal(ids.filter((id) => id >= 262).length, 5);
  assert.equal(chatTokenizer.decode(ids), text + text);
});

const wrongOrder: readonly [messages: Message[], message: RegExp][] = [
  [[], /^conversation: must hold a message, got none\.$/],
  [
    [says("a")],
    /^conversation: message 1 must be of system or user at the start, got assistant\.$/,
  ],
  [[user("a"), user("b")], /^conversation: message 2 must be of assistant after user, got user\.$/],
  [[user("a"), { role: "system", content: "" }], /message 2 must be of assistant after user/],
  [[user("a"), says("b"), says("c")], /message 3 must be of user after assistant, got assistant/],
  [[user("a"), says("b"), result("c")], /message 3 must be of user after assistant, got tool/],
  [[user("a"), asksClock, says("c")], /message 3 must be of tool after assistant, got assistant/],
  [[user("a"), asksClock, result("c"), result("d")], /message 4 must be of assistant after tool/],
  [
    [user("a"), { ...asksClock, toolCalls: [{ name: "clock", arguments: "[]" }] }],
    /^conversation: message 2 \(assistant\): arguments must be a JSON object, got "clock" with "\[\]"/,
  ],
  [
    [user("a"), { ...asksClock, toolCalls: [{ name: "my clock", arguments: "{}" }] }],
    /message 2 \(assistant\): a call must begin with a tool's name, got "my clock"/,
  ],
];

for (const [messages, message] of wrongOrder)
  test(`refused: ${messages.map(({ role }) => role).join(" ") || "nothing"}`, () => {
    assert.throws(() => renderConversation({ messages }, chatTokenizer), {
      code: "DATA",
      message,
    });
  });

test("a prompt must end where the assistant goes on", () => {
  const prompt = (messages: Message[]) => () => renderPrompt(messages, chatTokenizer);
  assert.throws(prompt([user("a"), says("b")]), /got a last message of assistant/);
  assert.throws(prompt([user("a"), asksClock]), /got 1 calls without a result/);
  assert.equal(renderPrompt([user("a"), asksClock, result("b")], chatTokenizer).at(-1), 267);
});

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const call = fc.record(
  {
    name: fc.constantFrom("clock", "calculator", "x.y-z"),
    arguments: fc.dictionary(text, fc.jsonValue(), { maxKeys: 3 }).map((o) => JSON.stringify(o)),
  },
  { noNullPrototype: true },
);
/** Turns with calls and as many results, then an answer. */
const replies = fc
  .tuple(
    fc.array(fc.tuple(text, fc.array(fc.tuple(call, text), { minLength: 1, maxLength: 3 })), {
      maxLength: 3,
    }),
    text,
  )
  .map(([turns, answer]): Message[] => [
    ...turns.flatMap(([content, calls]): Message[] => [
      { role: "assistant", content, toolCalls: calls.map(([asked]) => asked) },
      ...calls.map(([, content]) => result(content)),
    ]),
    says(answer),
  ]);

test("what is rendered is read back, and the mask covers the assistant's tokens alone", () => {
  fc.assert(
    fc.property(text, replies, (question, reply) => {
      const messages = [user(question), ...reply];
      const { ids, mask } = renderConversation({ messages }, chatTokenizer);
      const prompt = renderPrompt([user(question)], chatTokenizer);
      assert.deepEqual([...ids.slice(0, prompt.length)], prompt);
      const parsed = parseReply([...ids.slice(prompt.length)], chatTokenizer);
      assert.deepEqual(parsed, { messages: reply, wellFormed: true });
      assert.equal(count(mask), countLearned(reply));
    }),
    { numRuns: 300, seed: 1 },
  );
});

function count(mask: Uint8Array): number {
  return mask.reduce((sum, bit) => sum + bit, 0);
}

/** Text, per call its two marks and what is between, and the end of the turn. */
function countLearned(reply: readonly Message[]): number {
  const length = (text: string) => chatTokenizer.encode(text).length;
  return reply.reduce((sum, message) => {
    if (message.role !== "assistant") return sum;
    const calls = message.toolCalls ?? [];
    const spelled = calls.map((asked) => 2 + length(`${asked.name} ${asked.arguments}`));
    return sum + length(message.content) + spelled.reduce((a, b) => a + b, 0) + 1;
  }, 0);
}

describe("a reply is well-formed only when every mark is in its place", () => {
  const cases: readonly [reply: string, wellFormed: boolean, content?: string][] = [
    ["ok<|assistant_end|>", true, "ok"],
    ["<|assistant_end|>", true, ""],
    ["<|call_start|>clock {}<|call_end|><|assistant_end|>", true],
    ["<|call_start|>clock {}<|call_end|><|call_start|>f {}<|call_end|><|assistant_end|>", true],
    ["", false, ""],
    ["no end", false, "no end"],
    ["a<|call_start|>clock {}<|assistant_end|>", false, "a"],
    ["a<|call_start|>clock {}", false, "a"],
    ["<|call_start|>clock<|call_end|><|assistant_end|>", false],
    ["<|call_start|>clock []<|call_end|><|assistant_end|>", false],
    ['<|call_start|>clock "{}"<|call_end|><|assistant_end|>', false],
    ["<|call_start|>clock {<|call_end|><|assistant_end|>", false],
    ["<|call_start|> {}<|call_end|><|assistant_end|>", false],
    ["<|call_end|><|assistant_end|>", false],
    ["<|call_start|>f {}<|call_end|>after<|assistant_end|>", false, "after"],
    ["<|call_start|><|call_start|>f {}<|call_end|><|assistant_end|>", false],
    ["a<|user_start|>b<|user_end|><|assistant_end|>", false, "a"],
    ["a<|system_start|><|assistant_end|>", false, "a"],
    ["a<|bos|><|assistant_end|>", false, "a"],
    ["a<|tool_start|>1<|tool_end|><|assistant_end|>", false, "a"],
    ["a<|assistant_end|>b", false, "a"],
    ["a<|assistant_end|><|assistant_end|>", false, "a"],
    ["a<|assistant_end|><|assistant_start|>b<|assistant_end|>", false, "a"],
    ["a<|assistant_end|><|tool_start|>1<|tool_end|><|assistant_start|><|assistant_end|>", false],
    ["<|call_start|>f {}<|call_end|><|assistant_end|><|tool_start|>1", false],
    ["<|call_start|>f {}<|call_end|><|assistant_end|><|tool_start|>1<|tool_end|>", false],
    ["<|call_start|>f {}<|call_end|><|assistant_end|><|assistant_start|>b<|assistant_end|>", false],
  ];
  for (const [reply, wellFormed, content] of cases)
    test(`${wellFormed ? "well" : "mal"}formed: ${reply || "nothing"}`, () => {
      const parsed = parseReply(idsOf(reply), chatTokenizer);
      assert.equal(parsed.wellFormed, wellFormed);
      if (content !== undefined) assert.equal(parsed.messages[0]?.content, content);
    });

  test("an id outside the vocabulary", () => {
    const parsed = parseReply([97, chatTokenizer.vocabSize, 268], chatTokenizer);
    assert.deepEqual(parsed, { messages: [says("a")], wellFormed: false });
  });

  test("any ids at all are read without a failure", () => {
    const ids = fc.array(fc.oneof(fc.nat(255), fc.integer({ min: 256, max: 275 })));
    fc.assert(
      fc.property(ids, (reply) => {
        const { messages, wellFormed } = parseReply(reply, chatTokenizer);
        if (!wellFormed) return;
        const back = renderConversation({ messages: [user(""), ...messages] }, chatTokenizer);
        const again = parseReply([...back.ids.slice(4)], chatTokenizer);
        assert.deepEqual(again, { messages, wellFormed: true });
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});

test("a vocabulary without the marks is refused by their names", () => {
  assert.doesNotThrow(() => requireChatTokens(chatTokenizer, "here"));
  assert.throws(() => requireChatTokens(byteTokenizer, "a/tokenizer.json"), {
    code: "TOKENIZER",
    message: /^a\/tokenizer\.json: .* got none for <\|system_start\|> .*<\|call_end\|>\. /,
  });
});

interface JinjaCase {
  readonly messages: readonly OpenAiMessage[];
  readonly add_generation_prompt: boolean;
  readonly text?: string;
  readonly error?: string;
}

interface OpenAiMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string | null;
  readonly tool_calls?: readonly { function: { name: string; arguments: unknown } }[];
}

/** Python's json.dumps puts a space after each colon. */
function fromOpenAi({ role, content, tool_calls }: OpenAiMessage): Message {
  const spell = (json: unknown) =>
    typeof json === "string" ? json : JSON.stringify(json).replaceAll(":", ": ");
  const calls = tool_calls?.map(({ function: { name, arguments: json } }) => {
    return { name, arguments: spell(json) };
  });
  return { role, content: content ?? "", ...(calls && { toolCalls: calls }) } as Message;
}

test("the Jinja template gives the same tokens (rendered by jinja2)", () => {
  const path = new URL("jinja/rendered.json", import.meta.url);
  const fixture = JSON.parse(readFileSync(path, "utf8"));
  const cases: readonly JinjaCase[] = fixture.cases;
  assert.equal(fixture.template, chatTemplateJinja, "run jinja/make.py again");
  for (const { messages, add_generation_prompt, text } of cases) {
    if (text === undefined) continue;
    const ours = messages.map(fromOpenAi);
    const ids = add_generation_prompt
      ? renderPrompt(ours, chatTokenizer)
      : [...renderConversation({ messages: ours }, chatTokenizer).ids];
    assert.deepEqual(chatTokenizer.encode(text, { specials: true }), ids);
  }
  assert.deepEqual(
    cases.flatMap(({ error }) => error ?? []),
    ["a role must be system, user, assistant or tool, got developer"],
  );
});

test("the files for other programs", () => {
  const files = renderChatFiles(chatTokenizer, 256);
  const config = JSON.parse(files["tokenizer_config.json"] ?? "");
  assert.equal(config.chat_template, chatTemplateJinja);
  assert.deepEqual([config.bos_token, config.eos_token], ["<|bos|>", "<|assistant_end|>"]);
  assert.equal(config.model_max_length, 256);
  const generation = JSON.parse(files["generation_config.json"] ?? "");
  assert.deepEqual([generation.bos_token_id, generation.eos_token_id], [262, 268]);
});
