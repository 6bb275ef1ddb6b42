/** The arithmetic tasks: columns by hand, calls, and replies that try to be graded right. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "../../../src/llm/chat/conversation.ts";
import { keyOf, type Operator } from "../../../src/llm/tasks/arithmetic.ts";
import { calculatorTask } from "../../../src/llm/tasks/calculator.ts";
import { directTask } from "../../../src/llm/tasks/direct.ts";
import { exactToolCall, numbersIn } from "../../../src/llm/tasks/grade.ts";
import { stepsTask } from "../../../src/llm/tasks/steps.ts";
import { writeColumns } from "../../../src/llm/tasks/steps-columns.ts";
import { problemsOf, withLastText } from "./replies.ts";

const says = (content: string): Message[] => [{ role: "assistant", content }];

test("columns of a sum, a difference and a product", () => {
  assert.equal(
    writeColumns({ left: 478, operator: "+", right: 56 }),
    [
      "4 7 8 + 0 5 6",
      "8+6+0=14: 4 carry 1",
      "7+5+1=13: 3 carry 1",
      "4+0+1=5: 5 carry 0",
      "0 5 3 4",
      "Answer: 534",
    ].join("\n"),
  );
  assert.equal(
    writeColumns({ left: 52, operator: "-", right: 49 }),
    ["5 2 - 4 9", "2-9-0=-7: 3 carry 1", "5-4-1=0: 0 carry 0", "0 0 3", "Answer: 3"].join("\n"),
  );
  assert.equal(
    writeColumns({ left: 87, operator: "*", right: 6 }),
    ["8 7 * 6", "7*6+0=42: 2 carry 4", "8*6+4=52: 2 carry 5", "5 2 2", "Answer: 522"].join("\n"),
  );
});

test("every written digit and carry of 500 problems adds up", () => {
  for (const { solution } of problemsOf(stepsTask({ digits: [1, 6] }), 500)) {
    const lines = (solution[0]?.content ?? "").split("\n");
    for (const line of lines.slice(1, -2)) {
      const [, a, sign, b, sign2, c, value, digit, carry] =
        /^(\d)([-+*])(\d)([-+])(\d)=(-?\d+): (\d) carry (\d)$/.exec(line)?.map(String) ?? [];
      const first =
        sign === "*" ? Number(a) * Number(b) : Number(a) + (sign === "-" ? -1 : 1) * Number(b);
      const all = first + (sign2 === "-" ? -1 : 1) * Number(c);
      assert.equal(all, Number(value), line);
      const carried = sign === "-" ? -10 * Number(carry) : 10 * Number(carry);
      assert.equal(Number(digit) + carried, all, line);
    }
    const digits = (lines.at(-2) ?? "").replaceAll(" ", "").replace(/^0+(?=\d)/, "");
    assert.equal(lines.at(-1), `Answer: ${digits}`);
  }
});

test("steps: only the one last answer counts", () => {
  const task = stepsTask({ digits: [2, 4] });
  for (const problem of problemsOf(task, 50)) {
    const right = problem.solution[0]?.content.split(" ").at(-1) ?? "";
    const wrong = String(Number(right) + 1);
    const worthless = [
      right,
      `The answer: ${right}`,
      `Answer: ${wrong}\nAnswer: ${right}`,
      `Answer: ${right}\nAnswer: ${wrong}`,
      `Answer: ${wrong} ${right}`,
      `Answer: ${right} ${wrong}`,
      `Answer: ${right}\n${wrong}`,
      `Answer: 0${right}`,
      `Answer: ${right}.0`,
      `Answer:${right}`,
      `My Answer: ${right}`,
      `Answer: ${wrong}`,
    ];
    for (const text of worthless) assert.equal(problem.grade(says(text)), 0, text);
    assert.equal(problem.grade(says(`Answer: ${right}`)), 1);
    assert.equal(problem.grade([...says(`Answer: ${right}`), ...says(`Answer: ${right}`)]), 0);
  }
});

test("steps: digits are the difficulty", () => {
  for (const { solution } of problemsOf(stepsTask({ digits: [3, 3], operators: ["+"] }), 50)) {
    assert.match(solution[0]?.content ?? "", /^[1-9] \d \d \+ [1-9] \d \d\n/);
  }
});

test("calculator: numbers of 1 to 6 digits, one or two operations, many wordings", () => {
  const problems = [...problemsOf(calculatorTask(), 1500)];
  const questions = problems.map(({ prompt }) => prompt[0]?.content ?? "");
  const longest = questions.flatMap(numbersIn).map((number) => number.replace("-", "").length);
  assert.equal(Math.max(...longest), 6);
  assert.equal(Math.min(...longest), 1);
  const wordings = new Set(questions.map((question) => question.replace(/\d+/g, "N")));
  assert.ok(wordings.size > 150, `${wordings.size} wordings`);
  const calls = problems.flatMap(({ solution }) =>
    solution[0]?.role === "assistant" ? (solution[0].toolCalls ?? []) : [],
  );
  const two = calls.filter(({ arguments: args }) => (args.match(/[-+*/]/g) ?? []).length === 2);
  assert.ok(two.length > 200 && two.length < 450, `${two.length} with two operations`);
});

test("calculator: the value of the call is computed here as well", () => {
  for (const { solution } of problemsOf(calculatorTask(), 300)) {
    const [turn, result] = solution;
    const args = turn?.role === "assistant" ? (turn.toolCalls?.[0]?.arguments ?? "") : "";
    const { expression } = JSON.parse(args) as { expression: string };
    assert.match(expression, /^[\d+\-*/()]+$/);
    assert.equal(Number(result?.content), new Function(`return ${expression}`)());
  }
});

test("calculator: a right number among others, or from a wrong call, is worth nothing", () => {
  for (const problem of problemsOf(calculatorTask(), 100)) {
    const right = numbersIn(problem.solution.at(-1)?.content ?? "").at(-1) ?? "";
    const near = String(Number(right) + 1);
    const texts = [
      `${near} ${right}`,
      `${right} or ${near}`,
      `${right}, ${near}`,
      `It is ${near}.`,
      `${right}${near}`,
      `${right}.5`,
      `-${right}1`,
      `${near},${right}`,
      "0 1 2 3 4 5 6 7 8 9".replace(/\d/g, (digit) => `${digit}${right} `),
    ];
    for (const text of texts)
      assert.equal(problem.grade(withLastText(problem, () => text)), 0, text);
    assert.equal(problem.grade(withLastText(problem, () => `So it is ${right}!`)), 1);
    const grouped = Number(right).toLocaleString("en-US", { maximumFractionDigits: 9 });
    assert.equal(problem.grade(withLastText(problem, () => `${grouped}.`)), 1);
    const [, result, last] = problem.solution as [Message, Message, Message];
    const call = { name: "calculator", arguments: '{"expression":"1+1+0.5"}' };
    const other: Message = { role: "assistant", content: "", toolCalls: [call] };
    assert.equal(problem.grade([other, result, last]), 0);
    assert.equal(exactToolCall([other, result, last], problem), false);
  }
});

test("a reply claims its last number", () => {
  const [problem] = problemsOf(calculatorTask({ digits: [3, 3], operators: ["*"] }), 1);
  assert.ok(problem);
  const right = numbersIn(problem.solution.at(-1)?.content ?? "").at(-1) ?? "";
  const [operand = ""] = numbersIn(problem.prompt[0]?.content ?? "");
  assert.equal(problem.grade(withLastText(problem, () => `${operand} makes ${right}`)), 1);
  assert.equal(problem.grade(withLastText(problem, () => `${right}, not ${operand}`)), 0);
});

test("a sum and its reverse are one problem, a difference and its reverse are two", () => {
  const key = (left: number, operator: Operator, right: number): string =>
    keyOf({ left, operator, right });
  assert.equal(key(78, "*", 24), "24*78");
  assert.equal(key(24, "*", 78), "24*78");
  assert.equal(key(9, "+", 10), key(10, "+", 9));
  assert.notEqual(key(9, "-", 7), key(7, "-", 9));
  assert.notEqual(key(8, "/", 2), key(2, "/", 8));
});

test("an exact call is the solution's call, white space aside", () => {
  const [problem] = problemsOf(calculatorTask({ digits: [3, 3], operators: ["+"] }), 1);
  assert.ok(problem);
  const [turn] = problem.solution;
  const made = turn?.role === "assistant" ? turn.toolCalls?.[0] : undefined;
  assert.ok(made);
  const reply = (args: string, times = 1): Message[] => [
    {
      role: "assistant",
      content: "",
      toolCalls: Array.from({ length: times }, () => ({ name: "calculator", arguments: args })),
    },
  ];
  const spaced = made.arguments.replace(/[-+*/]/, " $& ").replace(":", ": ");
  assert.ok(exactToolCall(reply(made.arguments), problem));
  assert.ok(exactToolCall(reply(spaced), problem));
  assert.ok(!exactToolCall(reply(made.arguments, 2), problem));
  assert.ok(!exactToolCall(reply(made.arguments.replace(/\d/, "")), problem));
  assert.ok(!exactToolCall(reply('{"expression":'), problem));
  assert.ok(!exactToolCall([], problem));
});

test("numbers of a text: signs, groups, decimals, operators between digits", () => {
  assert.deepEqual(numbersIn("24 × 78 = 1,872."), ["24", "78", "1872"]);
  assert.deepEqual(numbersIn("5-8=-3"), ["5", "8", "-3"]);
  assert.deepEqual(numbersIn("5 − 8 = −3.25"), ["5", "8", "-3.25"]);
  assert.deepEqual(numbersIn("12,34,567"), ["12", "34567"]);
});

test("direct: small by default, and says so when it is not known by heart", () => {
  for (const { prompt, solution } of problemsOf(directTask(), 300)) {
    const numbers = numbersIn(solution[0]?.content ?? "").map(Number);
    assert.ok(numbers.slice(0, 2).every((number) => Math.abs(number) < 100));
    const isLarge = numbers.slice(0, 2).some((number) => Math.abs(number) > 10);
    const atOnce = /at once|in your head|without the calculator/i.test(prompt[0]?.content ?? "");
    assert.ok(atOnce || !isLarge, prompt[0]?.content);
    assert.ok(!(solution[0]?.content ?? "").includes("×") || !isLarge);
  }
});
