/**
 * Arithmetic through the calculator: one call, its result, one sentence. One or two operations of
 * whole numbers of 1 to 6 digits. Sums so small that everybody knows them belong to `direct`.
 */
import type { Message } from "../chat/conversation.ts";
import { tools } from "../chat/tools/table.ts";
import {
  type ArithmeticRange,
  drawExpression,
  drawNumber,
  type Expression,
  keyOf,
  toCode,
  toPrint,
  toQuestion,
} from "./arithmetic.ts";
import { answers, questions, stories } from "./calculator-wording.ts";
import {
  assistant,
  type Candidate,
  callTool,
  defineTask,
  plainContext,
  user,
} from "./define-task.ts";
import type { Draw } from "./draw.ts";
import { answersNumber, numbersIn, toolCallsOf } from "./grade.ts";
import type { Problem, Task } from "./task.ts";
import { fillWording } from "./wording.ts";

/** An expression as a key, a question, code for the tool and print for the answer. */
interface Calculation {
  readonly key: string;
  readonly question: string;
  readonly code: string;
  readonly print: string;
}

export interface CalculatorRange extends ArithmeticRange {
  /** Whether one problem in five has two operations, whatever `operators` says. */
  readonly hasPairs: boolean;
}

const anyRange: CalculatorRange = {
  digits: [1, 6],
  operators: ["+", "-", "*", "/"],
  hasPairs: true,
};

/** One problem in this many has two operations. */
const TWO_OPERATIONS_ONE_IN = 5;
/** One problem in this many is told in words. */
const STORY_ONE_IN = 4;
/** The largest number that is known by heart. */
const KNOWN_BY_HEART = 10;

/** @param range with other than the default digits or operators, for evaluations by digits */
export function calculatorTask(range: Partial<CalculatorRange> = {}): Task {
  const all = { ...anyRange, ...range };
  const description = "Arithmetic of large numbers through the calculator";
  return defineTask("calculator", description, (draw) => makeCandidate(draw, all));
}

function makeCandidate(draw: Draw, range: CalculatorRange): Candidate {
  const isPair = range.hasPairs && draw.pick(TWO_OPERATIONS_ONE_IN) === 0;
  const calculation = isPair ? drawPair(draw, range) : drawSingle(draw, range);
  const wording = draw.choose(answers);
  return { key: calculation.key, problem: () => toProblem(calculation, wording) };
}

function drawSingle(draw: Draw, range: ArithmeticRange): Calculation {
  const expression = drawLarge(draw, range);
  const e = toQuestion(draw, expression);
  const values = { e, a: String(expression.left), b: String(expression.right) };
  const wordings = draw.pick(STORY_ONE_IN) === 0 ? stories[expression.operator] : questions;
  return {
    key: keyOf(expression),
    question: fillWording(draw, wordings, values),
    code: toCode(expression),
    print: toPrint(expression),
  };
}

/**
 * How long the numbers may be is drawn first, so that short ones are more common, as in life. What
 * is known by heart is drawn again, unless the range has nothing else.
 */
function drawLarge(draw: Draw, range: ArithmeticRange): Expression {
  const [least, most] = range.digits;
  for (;;) {
    const expression = drawExpression(draw, {
      ...range,
      digits: [least, draw.between(least, most)],
    });
    if (Math.max(expression.left, expression.right) > KNOWN_BY_HEART) return expression;
    if (most === 1) return expression;
  }
}

/** `a + b * c`, `(a + b) * c` or `a * b - c`, of numbers of up to four digits. */
function drawPair(draw: Draw, { digits }: ArithmeticRange): Calculation {
  const most = Math.max(digits[0], Math.min(digits[1], 4));
  const [a, b, c] = [0, 1, 2].map(() => drawNumber(draw, draw.between(digits[0], most))) as [
    number,
    number,
    number,
  ];
  const shape = draw.choose(["A + B * C", "(A + B) * C", "A * B - C", "A - B + C", "A + B + C"]);
  const letters: Readonly<Record<string, number>> = { A: Math.max(a, b), B: Math.min(a, b), C: c };
  const spaced = shape.replace(/[ABC]/g, (letter) => String(letters[letter]));
  const print = spaced.replaceAll("*", "×");
  const code = spaced.replaceAll(" ", "");
  const e = draw.choose([spaced, print, code]);
  return { key: code, question: fillWording(draw, questions, { e }), code, print };
}

function toProblem({ question, code, print }: Calculation, wording: string): Problem {
  const turns = callTool("calculator", { expression: code }, plainContext);
  const result = turns[1].content;
  const sentence = wording.replace("{p}", print).replace("{r}", result);
  const given = numbersIn(`${question} ${print}`).map((number) => number.replace("-", ""));
  return {
    prompt: [user(question)],
    solution: [...turns, assistant(sentence)],
    context: plainContext,
    grade: (reply) => (isSolved(reply, result, given) ? 1 : 0),
  };
}

/** Right in words, and by a call of the calculator that gives this value. */
function isSolved(reply: readonly Message[], result: string, given: readonly string[]): boolean {
  return answersNumber(reply, result, given) && toolCallsOf(reply).some(calls(result));
}

function calls(result: string): (call: { name: string; arguments: string }) => boolean {
  return ({ name, arguments: args }) => {
    if (name !== "calculator") return false;
    try {
      return tools.get(name)?.run(JSON.parse(args), plainContext) === result;
    } catch {
      return false;
    }
  };
}
