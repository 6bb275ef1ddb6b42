/**
 * Arithmetic step by step, without a tool: System 2. The reply ends with a line `Answer: N`; the
 * grade reads that line alone and nothing may come after it, so there is one answer to grade. The
 * reward of RL by program is this grade.
 */
import type { Message } from "../chat/conversation.ts";
import {
  type ArithmeticRange,
  drawExpression,
  drawNumber,
  type Expression,
  keyOf,
  resultOf,
  toPrint,
  toQuestion,
} from "./arithmetic.ts";
import { assistant, defineTask, plainContext, user } from "./define-task.ts";
import type { Draw } from "./draw.ts";
import { claimedAnswer } from "./grade.ts";
import { writeColumns } from "./steps-columns.ts";
import type { Problem, Task } from "./task.ts";
import { fillWording } from "./wording.ts";

/** Sums, short differences, and products with one digit. */
export interface StepsRange extends ArithmeticRange {
  readonly operators: readonly ("+" | "-" | "*")[];
}

const easyRange: StepsRange = { digits: [1, 4], operators: ["+", "+", "-", "*"] };

const wordings: readonly string[] = [
  "[What is|What's] {e}? [Think|Go|Work|Do it] step by step.",
  "[Compute|Calculate|Work out|Find] {e} step by step.",
  "[Please compute|Please work out] {e} step by step.",
  "Step by step: {e}",
  "[Think|Go] step by step: [what is {e}?|{e}]",
  "How much is {e}? Show your steps, step by step.",
  "{e}, step by step[|, please].",
];

/** With this instruction the question alone is enough. */
const INSTRUCTION = "Think step by step.";
const plainWordings: readonly string[] = ["[What is|What's] {e}?", "{e}", "How much is {e}?"];
const INSTRUCTED_ONE_IN = 6;

/** @param range other digits make it harder: the difficulty of an RL run */
export function stepsTask(range: Partial<StepsRange> = {}): Task {
  const all = { ...easyRange, ...range };
  const description = "Arithmetic by columns, step by step, without a tool";
  return defineTask("steps", description, (draw) => {
    const expression = drawByColumns(draw, all);
    const prompt = toPrompt(draw, expression);
    return { key: keyOf(expression), problem: () => toProblem(prompt, expression) };
  });
}

function drawByColumns(draw: Draw, range: StepsRange): Expression {
  const expression = drawExpression(draw, range);
  if (expression.operator !== "*") return expression;
  return { ...expression, right: drawNumber(draw, 1) };
}

function toPrompt(draw: Draw, expression: Expression): Message[] {
  const e = draw.pick(2) === 0 ? toPrint(expression) : toQuestion(draw, expression);
  if (draw.pick(INSTRUCTED_ONE_IN) > 0) return [user(fillWording(draw, wordings, { e }))];
  return [{ role: "system", content: INSTRUCTION }, user(fillWording(draw, plainWordings, { e }))];
}

function toProblem(prompt: readonly Message[], expression: Expression): Problem {
  const answer = String(resultOf(expression));
  return {
    prompt,
    solution: [assistant(writeColumns(expression))],
    context: plainContext,
    grade: (reply) => (reply.length === 1 && claimedAnswer(reply) === answer ? 1 : 0),
  };
}
