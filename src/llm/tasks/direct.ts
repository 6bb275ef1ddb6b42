/**
 * Arithmetic answered at once: System 1. By default only what people know by heart; with more
 * digits it is the measure of what a model can do without thinking. Beyond ten the question says
 * that the answer is wanted at once, since otherwise the calculator is the better way.
 */
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
import { answersNumber, toolCallsOf } from "./grade.ts";
import type { Task } from "./task.ts";
import { fillWording } from "./wording.ts";

const smallRange: ArithmeticRange = { digits: [1, 2], operators: ["+", "+", "-", "*"] };

const KNOWN_BY_HEART = 10;

const plainWordings: readonly string[] = [
  "[What is|What's] {e}?",
  "How much is {e}?",
  "{e}",
  "{e} = ?",
  "{e}=",
  "[Hi|Hello|Hey], what is {e}?",
];

const atOnceWordings: readonly string[] = [
  "[What is|What's] {e}? Answer at once.",
  "[Quick|Quickly], in your head: {e}",
  "Answer at once: {e}",
  "In your head, what is {e}?",
  "Without the calculator: [what is {e}?|{e}]",
  "Guess {e} at once.",
];

export function directTask(range: Partial<ArithmeticRange> = {}): Task {
  const all = { ...smallRange, ...range };
  const description = "Small sums answered at once, without a tool";
  return defineTask("direct", description, (draw) => {
    const expression = drawSmall(draw, all, range.digits === undefined);
    const isKnown = Math.max(expression.left, expression.right) <= KNOWN_BY_HEART;
    const wordings = isKnown && draw.pick(3) > 0 ? plainWordings : atOnceWordings;
    const question = fillWording(draw, wordings, { e: toQuestion(draw, expression) });
    const answer = String(resultOf(expression));
    const given = [String(expression.left), String(expression.right)];
    return {
      key: keyOf(expression),
      problem: () => ({
        prompt: [user(question)],
        solution: [assistant(`${toPrint(expression)} = ${answer}.`)],
        context: plainContext,
        grade: (reply) =>
          answersNumber(reply, answer, given) && toolCallsOf(reply).length === 0 ? 1 : 0,
      }),
    };
  });
}

/** @param isDefault then only products of the table that everybody learns */
function drawSmall(draw: Draw, range: ArithmeticRange, isDefault: boolean): Expression {
  const expression = drawExpression(draw, range);
  if (expression.operator !== "*" || !isDefault) return expression;
  return { ...expression, left: drawNumber(draw, 1), right: drawNumber(draw, 1) };
}
