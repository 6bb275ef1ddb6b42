/**
 * Built-in tasks, on problems that no stage trains on. Of each task: the share of problems solved,
 * and of those with a tool the share of exact calls. Over all of them: turns in the chat's form
 * and, with a reward model, the mean reward. With several replies a problem: pass@k.
 */
import type { Message } from "../chat/conversation.ts";
import { exactToolCall, toolCallsOf } from "../tasks/grade.ts";
import type { Problem, Task } from "../tasks/task.ts";
import { askAll, type Reply } from "./ask.ts";
import { mean, meanRate } from "./intervals.ts";
import {
  dropped,
  type Measure,
  type MeasureContext,
  type MeasuredRow,
  shareRow,
} from "./measure.ts";
import { passAtK, passSizes } from "./pass-at-k.ts";
import type { EvalExample } from "./report.ts";

export interface NamedTask {
  /** In the report; a task may be asked in several ranges. */
  readonly name: string;
  readonly task: Task;
  /** A further row of the task, by the name that stands before its own. */
  readonly also?: { readonly name: string; holds(reply: Reply): boolean };
}

/** A problem that was asked, with its replies. */
interface Answered {
  readonly task: NamedTask;
  readonly problem: Problem;
  readonly replies: readonly Reply[];
}

export function measureTasks(tasks: readonly NamedTask[]): Measure {
  return async (context) => {
    const { maxRows, seed } = context.asked;
    const problems = tasks.flatMap((task) =>
      drawProblems(task, maxRows, seed).map((problem) => ({ task, problem })),
    );
    const questions = problems.map(({ problem: { prompt, context } }) => {
      return { messages: prompt, context };
    });
    const replies = await askAll(context.subject, questions, { ...context.asked, ...context });
    const answered = problems.flatMap((asked, i) => {
      const found = replies[i];
      return found === undefined ? [] : [{ ...asked, replies: found }];
    });
    const skipped = tasks
      .filter((task) => !answered.some((one) => one.task === task))
      .map(({ name }) => ({ name, reason: "no problem fits the model's context" }));
    if (answered.length === 0) return { skipped };
    return {
      skipped,
      rows: [
        wellFormedRow(answered, context),
        ...tasks.flatMap((task) => {
          const drawn = problems.filter((one) => one.task === task).length;
          return taskRows(task, answered, context, drawn);
        }),
        ...(await rewardRows(answered, context)),
      ],
    };
  };
}

/** A small task draws some problems again: the same one twice would be one answer counted twice. */
function drawProblems({ task }: NamedTask, count: number, seed: number): Problem[] {
  const drawn = Array.from({ length: count }, (_, i) => task.problem(i, "test", seed));
  const keyOf = ({ prompt, context }: Problem): string => JSON.stringify([prompt, context]);
  return [...new Map(drawn.map((problem) => [keyOf(problem), problem])).values()];
}

function wellFormedRow(
  answered: readonly Answered[],
  { asked: { seed, examples } }: MeasureContext,
): MeasuredRow {
  const rates = answered.map((one) => rate(one, isWellFormed));
  const shown = answered.slice(0, examples).map((one, i) => toExample(one, rates[i] ?? 0));
  return shareRow("well-formed turns", meanRate(rates, seed), shown);
}

const isWellFormed = ({ wellFormed }: Reply): boolean => wellFormed;

function taskRows(
  task: NamedTask,
  all: readonly Answered[],
  { asked: { seed, examples, samples } }: MeasureContext,
  drawn: number,
): MeasuredRow[] {
  const answered = all.filter((one) => one.task === task);
  if (answered.length === 0) return [];
  const left = dropped(drawn - answered.length);
  const row = (name: string, rates: readonly number[]): MeasuredRow => {
    const shown = answered.slice(0, examples).map((one, i) => toExample(one, rates[i] ?? 0));
    return shareRow(`${name}: ${task.name}`, meanRate(rates, seed), shown, left);
  };
  const rowOf = (name: string, holds: Holds): MeasuredRow =>
    row(
      name,
      answered.map((one) => rate(one, (reply) => holds(reply, one.problem))),
    );
  const { also } = task;
  const hasTools = answered.every(({ problem }) => toolCallsOf(problem.solution).length > 0);
  const right = answered.map((one) => countSolved(one));
  return [
    rowOf("solved", isSolved),
    ...(hasTools ? [rowOf("exact call", isExact)] : []),
    ...(also === undefined ? [] : [rowOf(also.name, also.holds)]),
    ...(samples === 1 ? [] : passSizes(samples)).map((k) =>
      row(
        `pass@${k}`,
        right.map((c) => passAtK(samples, c, k)),
      ),
    ),
  ];
}

type Holds = (reply: Reply, problem: Problem) => boolean;

const isSolved: Holds = ({ messages }, problem) => problem.grade(messages) === 1;
const isExact: Holds = ({ messages }, problem) => exactToolCall(messages, problem);

function countSolved({ replies, problem }: Answered): number {
  return replies.filter((reply) => isSolved(reply, problem)).length;
}

/** The share of a problem's replies that hold. */
function rate({ replies }: Answered, holds: (reply: Reply) => boolean): number {
  return replies.filter(holds).length / replies.length;
}

/** The first reply stands for all of a problem. */
function toExample({ problem, replies: [first] }: Answered, grade: number): EvalExample {
  return {
    prompt: renderMessages(problem.prompt),
    reply: renderMessages(first?.messages ?? []),
    expected: renderMessages(problem.solution),
    grade,
  };
}

/** Texts with their calls and results, a line each. */
export function renderMessages(messages: readonly Message[]): string {
  const lines = messages.flatMap((message) => {
    if (message.role === "tool") return [`→ ${message.content}`];
    const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
    const text = message.content === "" ? [] : [message.content];
    return [...text, ...calls.map((call) => `[${call.name} ${call.arguments}]`)];
  });
  return lines.join("\n");
}

async function rewardRows(
  answered: readonly Answered[],
  { judge, asked: { seed } }: MeasureContext,
): Promise<MeasuredRow[]> {
  if (judge === undefined) return [];
  const firsts = answered.map(({ problem: { prompt }, replies: [first] }) => {
    return { prompt, answers: [judgeable(first as Reply)] };
  });
  const rewards = (await judge.judge(firsts)).flatMap((own) => own?.[0] ?? []);
  if (rewards.length === 0) return [];
  const left = dropped(answered.length - rewards.length);
  return [{ name: "reward", ...mean(rewards, seed), unit: "reward", examples: [], ...left }];
}

/** A reply that broke the form has no messages to judge: only what it said, as one turn. */
function judgeable({ messages, wellFormed, text }: Reply): readonly Message[] {
  return wellFormed ? messages : [{ role: "assistant", content: text.trim() }];
}
