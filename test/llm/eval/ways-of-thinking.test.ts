/** The three ways of thinking are asked the same kind of problem: one sum or difference. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { waysOfThinking } from "../../../src/llm/eval/ways-of-thinking.ts";
import { numbersIn } from "../../../src/llm/tasks/grade.ts";
import { problemsOf } from "../tasks/replies.ts";

for (const { name, task } of waysOfThinking) {
  test(`${name}: two numbers of so many digits, + or -`, () => {
    const digits = Number(/(\d) digits$/.exec(name)?.[1]);
    for (const { prompt } of problemsOf(task, 100, "test")) {
      const question = prompt.at(-1)?.content ?? "";
      const operands = numbersIn(question).map((number) => number.replace("-", ""));
      assert.deepEqual(
        operands.map(({ length }) => length),
        [digits, digits],
        question,
      );
      assert.doesNotMatch(question, /[*×÷/]| times | x |divided|product/i);
    }
  });
}
