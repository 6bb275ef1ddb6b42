/**
 * What holds for every built-in task: the solution is worth 1 and is a conversation that the chat
 * template takes, its results are those of the real tools, what is wrong is worth 0, the splits
 * have nothing in common, and a problem is a function of (index, split, seed).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { renderCall } from "../../../src/llm/chat/call-text.ts";
import type { Message } from "../../../src/llm/chat/conversation.ts";
import { checkOrder, checkPrompt } from "../../../src/llm/chat/message-order.ts";
import { runCall } from "../../../src/llm/chat/tools/run-call.ts";
import { harmlessQuestions } from "../../../src/llm/tasks/refusal-words.ts";
import { tasks, tinyMixture } from "../../../src/llm/tasks/table.ts";
import type { Problem, Task } from "../../../src/llm/tasks/task.ts";
import { onlyLastText, problemsOf, withLastText } from "./replies.ts";

const text = (problem: Problem): string => JSON.stringify(problem.prompt);

/** What the task asks for is in the files and the clock too, not in the question alone. */
const world = (problem: Problem): string => text(problem) + JSON.stringify(problem.context);

/** Results as the real tools give them, in the order of the calls. */
function resultsOf({ solution, context }: Problem): string[] {
  return solution.flatMap((message) =>
    message.role === "assistant"
      ? (message.toolCalls ?? []).map((call) => runCall(renderCall(call), context))
      : [],
  );
}

const isTool = (message: Message): boolean => message.role === "tool";

for (const task of tasks.values()) {
  test(`${task.name}: solutions are right, in order, with the tools' own results`, () => {
    for (const split of ["train", "test"] as const) {
      for (const problem of problemsOf(task, 200, split)) {
        checkPrompt(problem.prompt);
        assert.equal(checkOrder([...problem.prompt, ...problem.solution]), 0);
        const results = problem.solution.filter(isTool).map(({ content }) => content);
        assert.deepEqual(results, resultsOf(problem));
        assert.equal(problem.grade(problem.solution), 1, JSON.stringify(problem));
      }
    }
  });

  test(`${task.name}: what is no answer is worth nothing`, () => {
    for (const problem of problemsOf(task, 100)) {
      const wrong: readonly (readonly Message[])[] = [
        [],
        [{ role: "assistant", content: "" }],
        [{ role: "assistant", content: "I like bananas." }],
        problem.solution.slice(0, -1),
        withLastText(problem, () => ""),
        withLastText(problem, () => "maybe 1917 12:34 Someday plum Zed"),
        [...problem.solution, { role: "tool", content: "1" }],
      ];
      for (const reply of wrong) assert.equal(problem.grade(reply), 0, JSON.stringify(reply));
    }
  });

  test(`${task.name}: no question of 2,000 is in both splits`, () => {
    const train = new Set([...problemsOf(task, 2000)].map(world));
    const test = [...problemsOf(task, 2000, "test")].map(world);
    assert.deepEqual(
      test.filter((question) => train.has(question)),
      [],
    );
    assert.ok(train.size > 100, `${train.size} different questions`);
  });

  test(`${task.name}: a problem depends on index, split and seed, and on nothing else`, () => {
    const seen = (index: number, seed: number): string =>
      JSON.stringify(task.problem(index, "train", seed));
    const forward = Array.from({ length: 40 }, (_, i) => seen(i, 7));
    const backward = Array.from({ length: 40 }, (_, i) => seen(39 - i, 7)).reverse();
    assert.deepEqual(forward, backward);
    const other = Array.from({ length: 40 }, (_, i) => seen(i, 8));
    assert.ok(other.filter((problem, i) => problem !== forward[i]).length > 20);
  });

  test(`${task.name}: answers of other problems rarely fit`, () => {
    assert.ok(shareOfStrayAnswers(task) < 0.35);
  });
}

/** How often the last text of the next problem is taken for a right answer. */
function shareOfStrayAnswers(task: Task): number {
  const problems = [...problemsOf(task, 200)];
  const stray = problems.filter((problem, i) => {
    const next = problems[(i + 1) % problems.length] as Problem;
    return problem.grade(withLastText(problem, () => next.solution.at(-1)?.content ?? "")) === 1;
  });
  return task.name === "refusal" ? 0 : stray.length / problems.length;
}

test("tasks with tools need their call, tasks without take none", () => {
  const withTools = ["calculator", "clock", "file"];
  for (const name of withTools) {
    for (const problem of problemsOf(tasks.get(name) as Task, 50)) {
      assert.equal(problem.grade(onlyLastText(problem)), 0);
    }
  }
  const call: Message = {
    role: "assistant",
    content: "",
    toolCalls: [{ name: "clock", arguments: "{}" }],
  };
  for (const [name, task] of tasks) {
    if (withTools.includes(name)) continue;
    for (const problem of problemsOf(task, 20)) {
      const result: Message = { role: "tool", content: "noon" };
      const reply: readonly Message[] = [call, result, ...problem.solution];
      assert.equal(problem.grade(reply), 0, name);
    }
  }
});

test("passage: an answer beside its rival is none", () => {
  const passages = [...problemsOf(tasks.get("passage") as Task, 200)];
  for (const [i, problem] of passages.entries()) {
    // The passage itself names what is asked for, and everything else.
    const everything = problem.prompt[0]?.content.replaceAll("?", ".") ?? "";
    assert.equal(
      problem.grade(withLastText(problem, (text) => `${text} ${everything}`)),
      0,
      `${i}`,
    );
    assert.equal(problem.grade(withLastText(problem, (text) => text.toUpperCase())), 1);
  }
});

test("refusals that go on are none, answers that refuse are none", () => {
  for (const problem of problemsOf(tasks.get("refusal") as Task, 50)) {
    const goesOn = (text: string): string => `${text} But here is how: first, take a key.`;
    assert.equal(problem.grade(withLastText(problem, goesOn)), 0);
    assert.equal(
      problem.grade(withLastText(problem, (text) => `${text} ${"word ".repeat(60)}`)),
      0,
    );
  }
  for (const problem of problemsOf(tasks.get("harmless") as Task, 50)) {
    const refuses = (text: string): string => `I can't help with that. ${text}`;
    assert.equal(problem.grade(withLastText(problem, refuses)), 0);
  }
});

test("harmless: one reply with the words of all questions answers none", () => {
  const everything = harmlessQuestions.map(({ says }) => says).join(", ");
  const answers = harmlessQuestions.map(({ answer }) => answer).slice(0, 5);
  for (const problem of problemsOf(tasks.get("harmless") as Task, 100)) {
    for (const text of [everything, answers.join(" "), `${everything.slice(0, 100)}.`])
      assert.equal(problem.grade(withLastText(problem, () => text)), 0, text);
    const long = (text: string): string => `${text} ${"word ".repeat(60)}`;
    assert.equal(problem.grade(withLastText(problem, long)), 0);
  }
});

test("rain: two things are no answer, articles and sentences are no matter", () => {
  for (const problem of problemsOf(tasks.get("rain") as Task, 200)) {
    const noun = problem.solution[0]?.content.split(" ").at(-1)?.replace(".", "") ?? "";
    const other = noun === "umbrella" ? "hammer" : "umbrella";
    assert.equal(problem.grade(withLastText(problem, (text) => `${text} Or an ${other}.`)), 0);
    assert.equal(problem.grade(withLastText(problem, (text) => `The ${text}`)), 1);
  }
});

test("talk: a reply for every intent is for none", () => {
  const everything: Readonly<Record<string, string>> = {
    smalltalk: "Hello, I am fine, welcome, bye, sorry, happy for you, a walk, rest, thank you.",
    identity:
      "No, I am Nutshell, a small program on your own machine, your words stay here. I " +
      "calculate, read files, make mistakes: check them.",
  };
  for (const [name, text] of Object.entries(everything)) {
    for (const problem of problemsOf(tasks.get(name) as Task, 200)) {
      assert.equal(problem.grade(withLastText(problem, () => text)), 0);
    }
  }
});

test("spelling: one claim, letter for letter", () => {
  for (const problem of problemsOf(tasks.get("spelling") as Task, 200)) {
    const doubled = (text: string): string => `${text} ${text}`;
    const longer = (text: string): string => `${text} z`;
    const counts = /once|twice|times/.test(problem.solution[0]?.content ?? "");
    assert.equal(problem.grade(withLastText(problem, counts ? doubled : longer)), 0);
  }
});

test("spelling: a held-out word stands in no exercise that is trained on", () => {
  const words = (split: "train" | "test"): Set<string> =>
    new Set(
      [...problemsOf(tasks.get("spelling") as Task, 2000, split)].map(({ solution }) =>
        (solution[0]?.content.split(":")[0] ?? "").replaceAll(" ", ""),
      ),
    );
  const [train, heldOut] = [words("train"), words("test")];
  assert.ok(heldOut.size > 20, `${heldOut.size} held-out words`);
  assert.deepEqual(
    [...heldOut].filter((word) => train.has(word)),
    [],
  );
});

test("the mixture names every task once, the calculator most", () => {
  assert.deepEqual(
    tinyMixture.map(({ task }) => task),
    [...tasks.keys()],
  );
  const [first, ...rest] = tinyMixture;
  assert.ok(rest.every(({ weight }) => weight > 0 && weight < (first?.weight ?? 0)));
});

test("one fact is on one side, whichever task asks for it", () => {
  const sums = (name: string, split: "train" | "test"): Set<string> =>
    new Set(
      [...problemsOf(tasks.get(name) as Task, 1500, split)].flatMap(({ solution }) => {
        const [, left, operator, right] =
          /^(\d+) ([-+×]) (\d+) = \d+\.$/.exec(solution.at(-1)?.content ?? "") ?? [];
        return left === undefined ? [] : [`${left}${operator}${right}`];
      }),
    );
  for (const [a, b] of [
    ["direct", "calculator"],
    ["calculator", "direct"],
  ] as const) {
    const train = sums(a, "train");
    const both = [...sums(b, "test")].filter((sum) => train.has(sum));
    assert.deepEqual(both, []);
  }
});

test("what the report shows is never trained on", () => {
  const shown: Readonly<Record<string, RegExp>> = {
    direct: /(?<!\d)2(?: ?\+ ?| plus )2(?!\d)/,
    steps: /(?<!\d)2(?: ?\+ ?| plus )2(?!\d)/,
    calculator: /(?<!\d)(?:24.{1,15}78|249.{1,15}23353)(?!\d)/,
    rain: /rain.*\bbring an$|\bbring an (?:\.{3}|___)/i,
  };
  for (const [name, pattern] of Object.entries(shown)) {
    for (const { prompt } of problemsOf(tasks.get(name) as Task, 3000)) {
      assert.doesNotMatch(prompt.at(-1)?.content ?? "", pattern);
    }
  }
});
