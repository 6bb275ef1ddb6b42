/** From a conversation to a row of a batch: every id and every target written out by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Conversation } from "../../../src/llm/chat/conversation.ts";
import { renderConversation } from "../../../src/llm/chat/template.ts";
import { createBatch } from "../../../src/llm/data/sampling/batch.ts";
import { countLearned, createConversationPool } from "../../../src/llm/sft/conversation-pool.ts";
import { packPool } from "../../../src/llm/sft/deck.ts";
import { fitConversation } from "../../../src/llm/sft/fit.ts";
import { gatherConversations } from "../../../src/llm/sft/gather.node.ts";
import { createRowSampler, writeRow } from "../../../src/llm/sft/sampler.ts";
import type { Supply } from "../../../src/llm/sft/supply.ts";
import { byteChatTokenizer } from "./small-model.ts";

// Ids of the marks: 256 bos, 259 and 260 around a user's text, 261 and 262 around an assistant's,
// 263 and 264 around a result, 265 and 266 around a call. Bytes are their own ids.
const [BOS, USER, USER_END, SAY, SAID, RESULT, RESULT_END, CALL, CALL_END] = [
  256, 259, 260, 261, 262, 263, 264, 265, 266,
] as const;
const bytes = (text: string): number[] => [...Buffer.from(text)];

const hello: Conversation = {
  messages: [
    { role: "user", content: "hi" },
    { role: "assistant", content: "yo" },
  ],
};
const clock: Conversation = {
  messages: [
    { role: "user", content: "t?" },
    { role: "assistant", content: "", toolCalls: [{ name: "clock", arguments: "{}" }] },
    { role: "tool", content: "9" },
    { role: "assistant", content: "At 9" },
  ],
};
const turn = (train: boolean, content = "b"): Conversation["messages"] => [
  { role: "user", content: "a" },
  { role: "assistant", content, train },
];

const render = (conversation: Conversation) => renderConversation(conversation, byteChatTokenizer);

test("a row holds whole conversations, and only the assistants' tokens are targets", () => {
  const pool = createConversationPool();
  pool.add(render(clock));
  pool.add(render(hello));
  const { packed, coded } = packPool(pool, 40);
  assert.equal(packed.rows, 1);
  const batch = createBatch(1, 39);
  writeRow({ packed, coded, bos: BOS }, 0, batch, 0);
  const called = bytes("clock {}");
  const inputs = [
    ...[BOS, USER, ...bytes("t?"), USER_END, SAY, CALL, ...called, CALL_END, SAID],
    ...[RESULT, ...bytes("9"), RESULT_END, SAY, ...bytes("At 9"), SAID],
    ...[BOS, USER, ...bytes("hi"), USER_END, SAY, ...bytes("yo"), SAID],
  ];
  // -1 six times, for what comes before the turn's first token; then the turn; and so on.
  const targets = [
    ...[-1, -1, -1, -1, -1, CALL, ...called, CALL_END, SAID, -1],
    ...[-1, -1, -1, ...bytes("At 9"), SAID, -1],
    ...[-1, -1, -1, -1, -1, ...bytes("yo"), SAID, -1],
  ];
  assert.equal(inputs.length, 35);
  const padding = Array.from({ length: 39 - 35 }, () => 0);
  assert.deepEqual([...batch.inputs], [...inputs, ...padding.map(() => BOS)]);
  assert.deepEqual([...batch.targets], [...targets, ...padding.map(() => -1)]);
});

test("a conversation as long as a row gives its last token as a target alone", () => {
  const rendered = render(hello);
  const pool = createConversationPool();
  pool.add(rendered);
  const { packed, coded } = packPool(pool, rendered.ids.length);
  const batch = createBatch(1, rendered.ids.length - 1);
  writeRow({ packed, coded, bos: BOS }, 0, batch, 0);
  assert.deepEqual([...batch.inputs], [...rendered.ids.slice(0, -1)]);
  assert.equal(batch.targets.at(-1), SAID);
});

test("an answer is never cropped: what follows the last one may go, else the whole", () => {
  const long = render({ messages: [...turn(true), ...turn(false)] });
  const all = long.ids.length;
  const needed = render({ messages: turn(true) }).ids.length;
  assert.deepEqual(fitConversation(long, all), { rendered: long, cut: false });
  const cut = fitConversation(long, needed);
  assert.ok(typeof cut !== "string" && cut.cut);
  assert.deepEqual([...cut.rendered.ids], [...long.ids.slice(0, needed)]);
  assert.equal(cut.rendered.ids.at(-1), SAID);
  assert.equal(countOf(cut.rendered.mask), countOf(long.mask));
  assert.equal(fitConversation(long, needed - 1), "longer than a row");
  assert.equal(fitConversation(render({ messages: turn(false) }), all), "nothing to learn");
});

function countOf(mask: Uint8Array): number {
  return mask.filter((bit) => bit === 1).length;
}

test("a pool gives back what was put in, however much it grew", () => {
  const pool = createConversationPool();
  const texts = Array.from({ length: 3000 }, (_, i) => "x".repeat(i % 60));
  for (const content of texts) pool.add(render({ messages: turn(true, content) }));
  const { ids, mask } = render({ messages: turn(true, texts[2999]) });
  const coded = [...pool.coded(2999)];
  assert.deepEqual(
    coded.map((token) => token >> 1),
    [...ids],
  );
  assert.deepEqual(
    coded.map((token) => token & 1),
    [...mask],
  );
  assert.equal(countLearned(pool.coded(2999)), countOf(mask));
  assert.equal(pool.size(2999), ids.length);
});

test("an epoch's batches hold each conversation once, and follow from the step alone", () => {
  const pool = createConversationPool();
  for (let i = 0; i < 40; i++)
    pool.add(render({ messages: turn(true, String.fromCharCode(33 + i).repeat(1 + (i % 9))) }));
  const deck = packPool(pool, 48);
  const options = { ...deck, seed: 7, batchSize: 1, gradAccumSteps: 2, bos: BOS };
  const { rows } = deck.packed;
  const steps = Math.ceil((3 * rows) / 2);
  const read = (sampler = createRowSampler(options)): string[] =>
    Array.from({ length: 2 * steps }, (_, g) =>
      sampler.batchAt(Math.floor(g / 2), g % 2).targets.join(),
    );
  const seen = read();
  const [first, second] = [seen.slice(0, rows), seen.slice(rows, 2 * rows)];
  assert.equal(new Set(first).size, rows);
  assert.deepEqual([...first].sort(), [...second].sort());
  assert.notDeepEqual(first, second);
  const sampler = createRowSampler(options);
  const last = sampler.batchAt(steps - 1, 1);
  assert.equal(last.targets.join(), seen[2 * steps - 1]);
  assert.equal(sampler.batchAt(0, 0).targets.join(), seen[0]);
  assert.notDeepEqual(read(createRowSampler({ ...options, seed: 8 })), seen);
});

test("of a source whose answers are not learned, every conversation is counted", async () => {
  const supply: Supply = {
    ...{ name: "masked", licence: "none", card: "", weight: 1 },
    make: (index) => ({ messages: turn(index % 2 === 0) }),
  };
  const options = { rowTokens: 64, conversations: 3, evalConversations: 1, seed: 0 };
  const talk = { status: () => {} };
  const { signal } = new AbortController();
  const gather = (supplies: Supply[]) =>
    gatherConversations(supplies, byteChatTokenizer, options, talk, signal);
  const [found] = await gather([supply]);
  assert.equal(found?.train.count, 3);
  assert.deepEqual([...(found?.counts.dropped ?? [])], [["nothing to learn", 2]]);
  assert.equal(found?.counts.rows, found?.train.count + found?.held.count + 2);
  const never: Supply = { ...supply, make: () => ({ messages: turn(false) }) };
  await assert.rejects(gather([never]), {
    code: "DATA",
    message: /masked: 520 rows, 520 nothing to learn/,
  });
});

test("text comes evenly between conversations, whose order stays", () => {
  const pool = createConversationPool();
  for (const word of ["a", "b", "c", "d", "e"])
    pool.add(render({ messages: [...hello.messages, ...turn(true, word)] }));
  const deck = packPool(pool, 30);
  const shape = { seed: 3, batchSize: 2, gradAccumSteps: 2, bos: BOS };
  const written: number[] = [];
  const text = {
    share: 0.3,
    write: (n: number, { inputs }: { inputs: Int32Array }, b: number) => {
      written.push(n);
      inputs.fill(1000 + n, b * 29, (b + 1) * 29);
    },
  };
  const rowsOf = (sampler: ReturnType<typeof createRowSampler>, steps: number): string[] =>
    Array.from({ length: 2 * steps }, (_, i) => sampler.batchAt(i >> 1, i & 1)).flatMap(
      ({ inputs }) => [inputs.subarray(0, 29).join(), inputs.subarray(29).join()],
    );
  const mixed = rowsOf(createRowSampler({ ...deck, ...shape, text }), 5);
  const isText = (row: string): boolean => /^100\d,/.test(row);
  // Row g is text where ⌊(g + 1) · 0.3⌋ is one more than ⌊g · 0.3⌋.
  assert.deepEqual(
    mixed.flatMap((row, g) => (isText(row) ? [g] : [])),
    [3, 6, 9, 13, 16, 19],
  );
  assert.deepEqual(written, [0, 1, 2, 3, 4, 5]);
  const plain = rowsOf(createRowSampler({ ...deck, ...shape }), 5);
  assert.deepEqual(
    mixed.filter((row) => !isText(row)),
    plain.slice(0, 14),
  );
});
