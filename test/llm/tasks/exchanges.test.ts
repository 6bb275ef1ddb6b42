/** Joined exchanges: every call answered truly in the one world, held-out problems held out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AssistantMessage, Message } from "../../../src/llm/chat/conversation.ts";
import { checkOrder } from "../../../src/llm/chat/message-order.ts";
import { tools } from "../../../src/llm/chat/tools/table.ts";
import { joinExchanges, type WeightedTask } from "../../../src/llm/tasks/exchanges.ts";
import { tasks, tinyMixture } from "../../../src/llm/tasks/table.ts";
import type { Split, Task } from "../../../src/llm/tasks/task.ts";

const others: WeightedTask[] = tinyMixture.map(({ task, weight }) => ({
  task: tasks.get(task) as Task,
  weight,
}));
// Clock and files only: worlds collide as often as they can.
const worldly = others.filter(({ task }) => ["clock", "file"].includes(task.name));

const questionsOf = (messages: readonly Message[]): string[] =>
  messages.flatMap(({ role, content }) => (role === "user" ? [content] : []));

for (const [name, among] of [
  ["all tasks", others],
  ["clocks and files", worldly],
] as const)
  test(`${name}: each call has the result that the one world gives`, () => {
    let [calls, several] = [0, 0];
    for (const { task } of among)
      for (let i = 0; i < 40; i++) {
        const { messages, context } = joinExchanges(task, among, 4, i, "train", 5);
        assert.equal(checkOrder(messages), 0);
        assert.ok(questionsOf(messages).length <= 4);
        if (questionsOf(messages).length > 1) several++;
        for (const [at, message] of messages.entries()) {
          const [call] = (message as AssistantMessage).toolCalls ?? [];
          if (call === undefined) continue;
          const result = tools.get(call.name)?.run(JSON.parse(call.arguments), context);
          assert.equal(messages[at + 1]?.content, result, `${task.name} ${i}: ${call.arguments}`);
          calls++;
        }
      }
    assert.ok(calls > 50 && several > 20 * among.length, `${calls} calls, ${several} joined`);
  });

test("the own problem stands last, and one exchange is the problem alone", () => {
  for (const { task } of others)
    for (let i = 0; i < 10; i++) {
      const { prompt, solution } = task.problem(i, "train", 3);
      const own = [...prompt, ...solution];
      assert.deepEqual(joinExchanges(task, others, 1, i, "train", 3).messages, own);
      const { messages } = joinExchanges(task, others, 4, i, "train", 3);
      assert.deepEqual(messages.slice(-own.length), own);
    }
});

test("exchanges follow from index and seed; what is learned of a held-out one is its last", () => {
  const of = (index: number, split: Split, seed: number) =>
    joinExchanges(tasks.get("calculator") as Task, others, 4, index, split, seed).messages;
  assert.deepEqual(of(7, "train", 1), of(7, "train", 1));
  assert.notDeepEqual(of(7, "train", 1), of(7, "train", 2));
  let read = 0;
  for (let i = 0; i < 20; i++) {
    const messages = of(i, "test", 1);
    const lastUser = messages.findLastIndex(({ role }) => role === "user");
    for (const [at, message] of messages.entries())
      if (message.role === "assistant") {
        assert.equal(message.train === false, at < lastUser);
        if (at < lastUser) read++;
      }
  }
  assert.ok(read > 10);
});

test("no exchange before a held-out problem is asked in training, nor the other way round", () => {
  // A task whose problems tell their side.
  const telling = (name: string): Task => ({
    ...{ name, description: "" },
    problem: (index, split) => ({
      prompt: [{ role: "user", content: `${split} ${index}` }],
      solution: [{ role: "assistant", content: "yes" }],
      context: { now: new Date(0), files: {} },
      grade: () => 1,
    }),
  });
  const pair = ["a", "b"].map((name) => ({ task: telling(name), weight: 1 }));
  for (const split of ["train", "test"] as const)
    for (let i = 0; i < 30; i++) {
      const { messages } = joinExchanges(telling("own"), pair, 4, i, split, 1);
      assert.ok(questionsOf(messages).every((question) => question.startsWith(split)));
    }
});
