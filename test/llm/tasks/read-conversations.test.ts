/** Conversation files: every shape on rows by hand, what is left out, what stops the reading. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { NutshellError } from "../../../src/error.ts";
import type { Message } from "../../../src/llm/chat/conversation.ts";
import { checkOrder } from "../../../src/llm/chat/message-order.ts";
import { fromGsm8k, fromToolformer } from "../../../src/llm/tasks/convert-calculator.ts";
import { findConversationSources } from "../../../src/llm/tasks/find-conversations.node.ts";
import { readConversations } from "../../../src/llm/tasks/read-conversations.node.ts";
import {
  createRowCounts,
  describeCounts,
  type RowCounts,
} from "../../../src/llm/tasks/row-counts.ts";
import { splitOfMessages } from "../../../src/llm/tasks/split.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-conversations-"));
after(() => rmSync(folder, { recursive: true }));

const data = join(import.meta.dirname, "../../../../shared/data");

function writeRows(name: string, rows: readonly unknown[]): string {
  const text = rows.map((row) => (typeof row === "string" ? row : JSON.stringify(row))).join("\n");
  const path = join(folder, name);
  writeFileSync(path, name.endsWith(".gz") ? gzipSync(text) : text);
  return path;
}

async function readAll(path: string): Promise<{ messages: Message[][]; counts: RowCounts }> {
  const counts = createRowCounts();
  const messages: Message[][] = [];
  for await (const made of readConversations(path, counts)) messages.push([...made.messages]);
  return { messages, counts };
}

/** Roles by their first letter, calls in brackets. */
function sketch(messages: readonly Message[]): string {
  return messages
    .map((message) => {
      const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
      const called = calls.map(({ name, arguments: args }) => `[${name} ${args}]`).join("");
      return `${message.role[0]}:${message.content}${called}`;
    })
    .join(" | ");
}

const call = (id: string, name: string, args: string): unknown => ({
  id,
  type: "function",
  function: { name, arguments: args },
});

const fits: readonly [row: unknown, expected: string][] = [
  [
    {
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: [{ type: "text", text: "Sum and time?" }] },
        {
          role: "assistant",
          content: null,
          tool_calls: [call("a", "calculator", '{"expression":"1+1"}'), call("b", "clock", "{}")],
        },
        { role: "tool", tool_call_id: "a", content: "2" },
        { role: "tool", tool_call_id: "b", content: "noon" },
        { role: "assistant", content: "2 at noon." },
        { role: "user", content: "Thanks" },
      ],
    },
    's:Be brief. | u:Sum and time? | a:[calculator {"expression":"1+1"}][clock {}] | t:2 | ' +
      "t:noon | a:2 at noon.",
  ],
  [{ instruction: "Add.", input: "1 and 2", output: "3" }, "u:Add.\n\n1 and 2 | a:3"],
  [{ instruction: "Say hi.", input: "", output: " hi " }, "u:Say hi. | a:hi"],
  [
    {
      system: "Talk.",
      conversations: [
        { from: "human", value: "Time?" },
        { from: "gpt", value: "Let me look." },
        { from: "function_call", value: '{"name": "clock", "arguments": {"zone": 1}}' },
        { from: "observation", value: "noon" },
        { from: "gpt", value: "Noon." },
      ],
    },
    's:Talk. | u:Time? | a:Let me look.[clock {"zone":1}] | t:noon | a:Noon.',
  ],
  [{ prompt: "Hi", response: "Hello" }, "u:Hi | a:Hello"],
  [{ question: "Why?", answer: "So." }, "u:Why? | a:So."],
  [
    { instruction: "Who?", context: "Ada is here.", response: "Ada", category: "qa" },
    "u:Who?\n\nAda is here. | a:Ada",
  ],
];

for (const [row, expected] of fits) {
  test(`a row with ${Object.keys(row as object).join(", ")}`, async () => {
    const { messages } = await readAll(writeRows("one.jsonl", [row]));
    assert.deepEqual(messages.map(sketch), [expected]);
  });
}

test("rows that cannot be learned from are counted by reason", async () => {
  const roles = (...names: string[]): unknown => ({
    messages: names.map((role) => ({ role, content: "x" })),
  });
  const path = writeRows("dropped.jsonl.gz", [
    { prompt: "Hi", response: "Hello" },
    "",
    { prompt: "Hi", response: "  " },
    roles("user"),
    roles("assistant", "user", "assistant"),
    roles("user", "tool", "assistant"),
    { conversations: [{ from: "function_call", value: "clock()" }] },
    { messages: [{ role: "user", content: [{ type: "image" }] }] },
    roles("user", "user", "assistant", "assistant"),
    {
      messages: [
        { role: "user", content: "x" },
        { role: "assistant", tool_calls: [call("a", "f", "{}"), call("b", "f", "{}")] },
        { role: "tool", tool_call_id: "b", content: "1" },
        { role: "tool", tool_call_id: "a", content: "1" },
        { role: "assistant", content: "y" },
      ],
    },
    {
      messages: [
        { role: "user", content: "x" },
        { role: "assistant", tool_calls: [call("a", "f", "not JSON")] },
        { role: "tool", content: "1" },
        { role: "assistant", content: "y" },
      ],
    },
  ]);
  const { messages, counts } = await readAll(path);
  assert.deepEqual(messages.map(sketch), ["u:Hi | a:Hello", "u:x\nx | a:x\nx"]);
  assert.deepEqual(Object.fromEntries(counts.dropped), {
    "an empty message": 1,
    "no answer": 1,
    "messages out of order": 3,
    "a call that is not JSON": 1,
    "content that is not text": 1,
    "results in another order": 1,
  });
  assert.match(describeCounts(counts), /^10 rows, 2 kept, 8 dropped \(1 an empty message, /);
});

const refused: readonly [rows: unknown[], line: number, reason: RegExp][] = [
  [[{ prompt: "a", response: "b" }, { text: "plain" }], 2, /a row must have "messages".*keys text/],
  [[{ messages: [{ role: "king", content: "x" }] }], 1, /a row must have/],
  [["", "{torn"], 2, /every line must be JSON/],
  [["[1]"], 1, /a row must be an object, got \[1\]/],
];

for (const [rows, line, reason] of refused) {
  test(`${JSON.stringify(rows)} is refused at line ${line}`, async () => {
    const path = writeRows("refused.jsonl", rows);
    await assert.rejects(
      () => readAll(path),
      (error) =>
        error instanceof NutshellError &&
        error.code === "DATA" &&
        error.message.startsWith(`${path}:${line}: `) &&
        reason.test(error.message),
    );
  });
}

test("GSM8K marks become calls where the calculator agrees", () => {
  const answer =
    "It is 48/2 = <<48/2=24>>24 clips.\nA third is $<<1/3=0.33>>0.33.\nIn all " +
    "<<24+48=72>>72.\n#### 1,072";
  assert.equal(
    sketch(fromGsm8k({ question: "How many?", answer }) as Message[]),
    'u:How many? | a:It is 48/2 =[calculator {"expression":"48/2"}] | t:24 | a:24 clips.\n' +
      'A third is $0.33.\nIn all[calculator {"expression":"24+48"}] | t:72 | ' +
      "a:72.\nAnswer: 1072",
  );
});

test("Toolformer rows: sums the calculator can do, the rest says why not", () => {
  const instruction =
    "toolformer: enabled\ntoolformer access: python\nA shell.\nFor all code.\npython(code)\nSquare it";
  const convert = (response: string): unknown =>
    fromToolformer({ instruction, input: "3", response });
  assert.equal(
    sketch(convert("It is python('print(3**2)').") as Message[]),
    'u:Square it\n\n3 | a:[calculator {"expression":"3^2"}] | t:9 | a:It is 9.',
  );
  assert.equal(convert("It is python('sum([1])')."), "no plain sum");
  assert.equal(convert("python('1+1') and python('2+2')"), "several calls");
  assert.equal(convert("wikipedia('nine')"), "no call of python or wolfram");
});

/** Least share of its rows that a set keeps; the large ones are left out here. */
const known: Readonly<Record<string, number>> = {
  dolly: 0.99,
  "dolly-hhrlhf-extra": 0.99,
  "rasbt-instructions": 0.99,
  "identity-template": 0.99,
  chatterbot: 0.99,
  gsm8k: 0.99,
  "glaive-demo": 0.99,
  // Most of its calls are of tools that need a network.
  toolformer: 0.02,
};

const absent = existsSync(data) ? false : "needs ../shared/data";

test("the known sets, row by row", { skip: absent }, async () => {
  const found = findConversationSources(data);
  for (const { name, read } of found.filter((source) => source.name in known)) {
    const counts = createRowCounts();
    let calls = 0;
    for await (const { messages } of read(counts)) {
      assert.equal(checkOrder(messages), 0);
      assert.doesNotMatch(JSON.stringify(messages), /\{\{name|\{\{author/);
      calls += messages.filter(({ role }) => role === "tool").length;
    }
    const dropped = [...counts.dropped.values()].reduce((sum, count) => sum + count, 0);
    assert.equal(counts.rows, counts.kept + dropped);
    assert.ok(
      counts.kept >= counts.rows * (known[name] ?? 1),
      `${name}: ${describeCounts(counts)}`,
    );
    if (name === "gsm8k") assert.ok(calls > counts.kept * 2.5, `${calls} calls in gsm8k`);
  }
});

test("large sets are read from their start, and again", { skip: absent }, async () => {
  for (const { name, read } of findConversationSources(data)) {
    const first = async (): Promise<string> => {
      for await (const { messages } of read(createRowCounts())) return sketch(messages);
      return "";
    };
    const text = await first();
    assert.ok(text.length > 5, name);
    assert.equal(await first(), text);
  }
});

test("an absent folder has no sets", () => {
  assert.deepEqual(findConversationSources(join(folder, "nowhere")), []);
});

test("a conversation's side is that of its question", () => {
  const ask = (content: string, answer: string): Message[] => [
    { role: "user", content },
    { role: "assistant", content: answer },
  ];
  assert.equal(
    splitOfMessages(ask(" What is it? ", "a")),
    splitOfMessages(ask("what is it?", "b")),
  );
  const sides = Array.from({ length: 4000 }, (_, i) => splitOfMessages(ask(`question ${i}`, "")));
  const share = sides.filter((side) => side === "test").length / 4000;
  assert.ok(Math.abs(share - 1 / 8) < 0.02, `${share}`);
});
