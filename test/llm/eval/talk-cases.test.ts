/** The talk's questions: what a reply must do to be right. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { talkCases } from "../../../src/llm/eval/talk-cases.ts";
import { callTool, plainContext } from "../../../src/llm/tasks/define-task.ts";

function grade(name: string, text: string, expression?: string): boolean {
  const calls =
    expression === undefined ? [] : callTool("calculator", { expression }, plainContext);
  const messages = [...calls, { role: "assistant", content: text } as const];
  const found = talkCases.find((one) => one.name === name);
  assert.ok(found, name);
  return found.grade({ messages, wellFormed: true, text });
}

test("by the tool means a call of it, by thinking means none", () => {
  for (const way of ["system 1", "system 2"]) {
    assert.ok(grade(`24 × 78, ${way}`, "24 × 78 = 1872."));
    assert.ok(!grade(`24 × 78, ${way}`, "24 × 78 = 1872.", "24*78"));
    assert.ok(!grade(`24 × 78, ${way}`, "24 × 78 = 1873."));
  }
  assert.ok(grade("24 × 78, tool", "24 × 78 = 1872.", "24*78"));
  assert.ok(!grade("24 × 78, tool", "24 × 78 = 1872."));
  assert.ok(!grade("24 × 78, tool", "24 × 78 = 1873.", "24*78"));
});

test("an umbrella that is not wanted is no answer", () => {
  for (const name of ["rain", "rain, as text"]) {
    for (const text of ["Umbrella.", "You should bring an umbrella, not a hat.", " umbrella!"])
      assert.ok(grade(name, text), text);
    for (const text of ["apple, not an umbrella", "I don't need an umbrella.", "Umbrellas", ""])
      assert.ok(!grade(name, text), text);
  }
});
