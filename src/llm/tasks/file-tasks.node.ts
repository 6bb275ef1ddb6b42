/**
 * Tasks over the rows of files: school sums and puzzles whose answer a program checks. A reply must
 * end with the line `Answer: …`. Published test files stay test; any other file, a published train
 * file too, is split by the hash of its question, as SFT splits it: a question has one side.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createPermutation } from "../data/sampling/permutation.ts";
import { keyOf as arithmeticKey, type Operator } from "./arithmetic.ts";
import { fromGsm8k, plainNumber } from "./convert-calculator.ts";
import { assistant, plainContext, user } from "./define-task.ts";
import { makes24, solve24 } from "./game24.ts";
import { claimedAnswer } from "./grade.ts";
import { type Row, readJsonRows, readLines } from "./json-rows.node.ts";
import { splitOf } from "./split.ts";
import type { Problem, Split, Task } from "./task.ts";
import { tidyMessages } from "./tidy-messages.ts";

/** A task with an end: problem i of a split is row i of a shuffle, again from the start after it. */
export interface FileTask extends Task {
  readonly licence: string;
  /** Problems of each split; 0: it has none, and `problem` throws. */
  readonly sizes: Readonly<Record<Split, number>>;
}

interface KnownTask {
  readonly name: string;
  readonly description: string;
  readonly licence: string;
  /** Below the data folder; under `any` the rows are split here. */
  readonly files: Readonly<Partial<Record<"any" | "test", string>>>;
  readonly read: (path: string) => AsyncGenerator<Row>;
  /** @returns undefined for a row without a checkable answer */
  toProblem(row: Row): Problem | undefined;
}

const knownTasks: readonly KnownTask[] = [
  {
    name: "gsm8k",
    description: "GSM8K: school sums in words, the calculator allowed",
    licence: "MIT",
    files: { any: "math_rl/gsm8k/train.jsonl.gz", test: "math_rl/gsm8k/test.jsonl.gz" },
    read: readRows,
    toProblem: toGsm8k,
  },
  {
    name: "svamp",
    description: "SVAMP: short sums in words",
    licence: "MIT",
    files: { any: "math_rl/svamp/svamp.jsonl.gz" },
    read: readRows,
    toProblem: ({ context, answer }) => toAnswer(context, answer),
  },
  {
    name: "aqua",
    description: "AQuA: algebra in words, its published test set",
    licence: "Apache-2.0",
    files: { test: "math_rl/aqua/aqua.jsonl.gz" },
    read: readRows,
    toProblem: ({ context, answer }) => toAnswer(context, answer),
  },
  {
    name: "simple_arithmetic",
    description: "Sums of two to four numbers",
    licence: "Apache-2.0",
    files: { any: "math_rl/simple_arithmetic/simple_arithmetic.jsonl.gz" },
    read: readRows,
    toProblem: ({ context, continuation }) => toAnswer(context, continuation),
  },
  {
    name: "game24",
    description: "Four numbers that make 24",
    licence: "MIT",
    files: { any: "math_rl/game24/24.csv.gz" },
    read: readPuzzles,
    toProblem: ({ numbers }) => to24(numbers as number[]),
  },
];

/** @returns the tasks whose files are there, their rows read */
export async function findFileTasks(dataFolder: string): Promise<FileTask[]> {
  const made: FileTask[] = [];
  for (const known of knownTasks) {
    const paths = Object.entries(known.files)
      .map(([split, path]) => [split, join(dataFolder, path)] as const)
      .filter(([, path]) => existsSync(path));
    if (paths.length > 0) made.push(await readTask(known, paths));
  }
  return made;
}

async function readTask(
  known: KnownTask,
  paths: readonly (readonly [string, string])[],
): Promise<FileTask> {
  const problems: Record<Split, Problem[]> = { train: [], test: [] };
  for (const [split, path] of paths) {
    for await (const row of known.read(path)) {
      const problem = known.toProblem(row);
      if (problem === undefined) continue;
      const question = problem.prompt.at(-1)?.content ?? "";
      problems[split === "test" ? split : splitOfQuestion(question)].push(problem);
    }
  }
  const { name, description, licence } = known;
  const sizes = { train: problems.train.length, test: problems.test.length };
  return { name, description, licence, sizes, problem };

  function problem(index: number, split: Split, seed: number): Problem {
    const { [split]: rows } = problems;
    if (rows.length === 0) throw new Error(`task ${name}: it has no problems in split ${split}`);
    const epoch = Math.floor(index / rows.length);
    const at = createPermutation(rows.length, seed, split === "test" ? 1 : 0, epoch);
    return rows[at(index % rows.length)] as Problem;
  }
}

/** @returns the side of a file's question; a bare sum has the key of the built-in arithmetic */
export function splitOfQuestion(question: string): Split {
  const asked = question.trim();
  const sum = /^(\d+) ([-+*]) (\d+) =$/.exec(asked);
  if (sum === null) return splitOf(asked.toLowerCase());
  const [, left, operator, right] = sum;
  const expression = { left: Number(left), operator: operator as Operator, right: Number(right) };
  return splitOf(arithmeticKey(expression));
}

async function* readRows(path: string): AsyncGenerator<Row> {
  for await (const { row } of readJsonRows(path)) yield row;
}

/** Lines `rank,a b c d,…` below a header. */
async function* readPuzzles(path: string): AsyncGenerator<Row> {
  for await (const { text } of readLines(path)) {
    const numbers = text.split(",")[1]?.split(" ").map(Number) ?? [];
    if (numbers.length === 4 && numbers.every(Number.isInteger)) yield { numbers };
  }
}

function toGsm8k(row: Row): Problem | undefined {
  const converted = fromGsm8k(row);
  if (converted === undefined || typeof converted === "string") return undefined;
  const messages = tidyMessages(converted);
  if (typeof messages === "string") return undefined;
  const solution = messages.slice(1);
  const right = claimedAnswer(solution);
  return {
    prompt: messages.slice(0, 1),
    solution,
    context: plainContext,
    grade: (reply) => (right !== undefined && sameAnswer(claimedAnswer(reply), right) ? 1 : 0),
  };
}

function toAnswer(question: unknown, answer: unknown): Problem | undefined {
  if (typeof question !== "string" || typeof answer !== "string") return undefined;
  const right = answer.trim();
  return {
    prompt: [user(question.trim())],
    solution: [assistant(`Answer: ${right}`)],
    context: plainContext,
    grade: (reply) => (sameAnswer(claimedAnswer(reply), right) ? 1 : 0),
  };
}

/** Numbers by value (1,000 is 1000.0), anything else letter by letter but for white space. */
function sameAnswer(claimed: string | undefined, right: string): boolean {
  if (claimed === undefined) return false;
  const [a, b] = [claimed, right].map((text) => plainNumber(text).replace(/\s+|\.$/g, ""));
  if (a === b) return true;
  const isNumber = (text: string): boolean => /^-?\d+(?:\.\d+)?$/.test(text);
  return isNumber(a as string) && isNumber(b as string) && Number(a) === Number(b);
}

function to24(numbers: readonly number[]): Problem | undefined {
  const solution = solve24(numbers);
  if (solution === undefined) return undefined;
  const question = `Use ${numbers.join(", ")} once each with + - * / to make 24.`;
  return {
    prompt: [user(question)],
    solution: [assistant(`Answer: ${solution}`)],
    context: plainContext,
    grade: (reply) => (makes24(claimedAnswer(reply) ?? "", numbers) ? 1 : 0),
  };
}
