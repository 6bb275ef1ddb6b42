/**
 * The arithmetic suite: sums and differences of two numbers, both with as many digits, by each way
 * of thinking. All three are drawn alike, so that what differs between their rows is the way.
 */
import type { ArithmeticRange } from "../tasks/arithmetic.ts";
import { calculatorTask } from "../tasks/calculator.ts";
import { directTask } from "../tasks/direct.ts";
import { stepsTask } from "../tasks/steps.ts";
import type { Task } from "../tasks/task.ts";
import type { NamedTask } from "./measure-tasks.ts";

const DIGITS = [1, 2, 3, 4, 5, 6];

interface SumRange extends ArithmeticRange {
  readonly operators: readonly ("+" | "-")[];
}

/** At once, step by step, through the tool. */
const ways: Readonly<Record<string, (range: SumRange) => Task>> = {
  "system 1": directTask,
  "system 2": stepsTask,
  tool: (range) => calculatorTask({ ...range, hasPairs: false }),
};

export const waysOfThinking: readonly NamedTask[] = Object.entries(ways).flatMap(([way, make]) =>
  DIGITS.map((digits) => ({
    name: `${way}, ${digits} digits`,
    task: make({ digits: [digits, digits], operators: ["+", "-"] }),
  })),
);
