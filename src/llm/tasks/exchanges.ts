/**
 * Several exchanges in one conversation: problems of one task after another, as people ask them.
 * All of them live in one world: one clock, and files of which no name means two texts.
 *
 * Invariant: exchanges are a function of (own task, index, split, seed), and every problem among
 * them is on the side that is asked for. The own task's problem stands last.
 */
import type { Message } from "../chat/conversation.ts";
import type { ToolContext } from "../chat/tool.ts";
import { createDraw, type Draw } from "./draw.ts";
import { toolCallsOf } from "./grade.ts";
import type { Problem, Split, Task } from "./task.ts";

/** A task, and how often it is asked beside the others. */
export interface WeightedTask {
  readonly task: Task;
  readonly weight: number;
}

export interface Exchanges {
  readonly messages: readonly Message[];
  /** In which every call among the messages has the result that follows it. */
  readonly context: ToolContext;
}

/** Problems that may not fit the world of the others are drawn anew, so many times. */
const MOST_ATTEMPTS = 4;

/**
 * @param own gives the last exchange, its problem `index`  @param others give those before it
 * @param most exchanges; every number from 1 on is as likely
 * @returns on the side "test" with the answers before the last one read, not learned from: so a
 *   held-out loss is that of the own task
 */
export function joinExchanges(
  own: Task,
  others: readonly WeightedTask[],
  most: number,
  index: number,
  split: Split,
  seed: number,
): Exchanges {
  const draw = createDraw(`exchanges before ${own.name}`, index, split, seed);
  const last = own.problem(index, split, seed);
  const before: Problem[] = [];
  let context = last.context;
  let clockIsRead = readsClock(last);
  // An instruction holds for a whole conversation, so what has one is asked alone.
  for (let left = hasInstruction(last) ? 0 : draw.pick(most); left > 0; left--) {
    const problem = drawFitting(draw, others, { context, clockIsRead }, split, seed);
    if (problem === undefined) continue;
    before.push(problem);
    const { now } = readsClock(problem) ? problem.context : context;
    context = { now, files: { ...problem.context.files, ...context.files } };
    clockIsRead ||= readsClock(problem);
  }
  const earlier = before.flatMap(messagesOf);
  const messages = [...(split === "test" ? earlier.map(unlearned) : earlier), ...messagesOf(last)];
  return { messages, context };
}

interface World {
  readonly context: ToolContext;
  /** Whether some exchange says what the clock shows. */
  readonly clockIsRead: boolean;
}

/** @returns undefined when no problem that was drawn fits the world */
function drawFitting(
  draw: Draw,
  others: readonly WeightedTask[],
  world: World,
  split: Split,
  seed: number,
): Problem | undefined {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const problem = drawTask(draw, others).problem(draw.pick(2 ** 31), split, seed);
    if (fits(problem, world)) return problem;
  }
  return undefined;
}

function drawTask(draw: Draw, others: readonly WeightedTask[]): Task {
  const all = others.reduce((sum, { weight }) => sum + weight, 0);
  let left = (all * draw.pick(2 ** 31)) / 2 ** 31;
  for (const { task, weight } of others) {
    left -= weight;
    if (left < 0) return task;
  }
  return (others.at(-1) as WeightedTask).task;
}

function fits(problem: Problem, { context: { files }, clockIsRead }: World): boolean {
  if (hasInstruction(problem) || (clockIsRead && readsClock(problem))) return false;
  return Object.keys(problem.context.files).every((name) => !Object.hasOwn(files, name));
}

function hasInstruction({ prompt }: Problem): boolean {
  return prompt.some(({ role }) => role === "system");
}

function readsClock({ solution }: Problem): boolean {
  return toolCallsOf(solution).some(({ name }) => name === "clock");
}

function messagesOf({ prompt, solution }: Problem): readonly Message[] {
  return [...prompt, ...solution];
}

function unlearned(message: Message): Message {
  return message.role === "assistant" ? { ...message, train: false } : message;
}
