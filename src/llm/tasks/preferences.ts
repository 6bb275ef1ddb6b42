/**
 * Built-in preferences for a reward model: prompts of the tasks, each with four or five answers
 * whose order is known because a program made them:
 *
 *     right and kind > right but curt > wrong > rude or beside the point > garbled
 *
 * A wrong answer may be as kind as a right one, so that kindness alone does not win. Prompts of the
 * two splits are those of the tasks and never the same.
 */
import { assistant } from "./define-task.ts";
import { directTask } from "./direct.ts";
import { createDraw, type Draw } from "./draw.ts";
import { identityTask } from "./identity.ts";
import { passageTask } from "./passage.ts";
import {
  kindRefusals,
  kindWordings,
  needlessRefusals,
  rudeReplies,
  strayReplies,
  willingReplies,
} from "./preferences-words.ts";
import { rainTask } from "./rain.ts";
import type { RankedPrompt } from "./ranking.ts";
import { harmlessTask, refusalTask } from "./refusal.ts";
import { smalltalkTask } from "./smalltalk.ts";
import { spellingTask } from "./spelling.ts";
import type { Problem, Split, Task } from "./task.ts";
import { fillWording } from "./wording.ts";

interface Source {
  readonly task: Task;
  /** How a right answer is made kind. */
  readonly kind: readonly string[];
  /** @returns a wrong answer of its own; without it that of another problem is taken */
  wrong?(draw: Draw, right: string): string;
}

/** Tasks without tools, whose answers are text alone. */
const sources: readonly Source[] = [
  { task: directTask(), kind: kindWordings, wrong: changeLastNumber },
  { task: rainTask, kind: kindWordings },
  { task: passageTask, kind: kindWordings },
  { task: spellingTask, kind: kindWordings },
  { task: identityTask, kind: kindWordings },
  { task: smalltalkTask, kind: kindWordings },
  { task: refusalTask, kind: kindRefusals, wrong: (draw) => draw.choose(willingReplies) },
  { task: harmlessTask, kind: kindWordings, wrong: (draw) => draw.choose(needlessRefusals) },
];

/** So many other problems are looked at for an answer that is wrong here. */
const MOST_OTHERS = 64;
/** One prompt in this many has four answers: without the garbled one. */
const FOUR_ONE_IN = 3;

/** @returns ranking number `index`, a function of its arguments */
export function preference(index: number, split: Split, seed: number): RankedPrompt {
  const draw = createDraw("preferences", index, split, seed);
  const source = draw.choose(sources);
  const problem = source.task.problem(index, split, seed);
  const texts = fallingQuality(draw, source, problem, index, split, seed);
  const order = shuffled(draw, texts.length);
  return {
    prompt: problem.prompt,
    responses: order.map((quality) => texts[quality] as string),
    ranking: texts.map((_, quality) => [order.indexOf(quality)]),
  };
}

function fallingQuality(
  draw: Draw,
  source: Source,
  problem: Problem,
  index: number,
  split: Split,
  seed: number,
): string[] {
  const right = textOf(problem);
  const wrong = wrongAnswer(draw, source, problem, index, split, seed);
  const bad = draw.choose(draw.pick(2) === 0 ? rudeReplies : strayReplies);
  const texts = [
    fillWording(draw, source.kind, { t: right }),
    right,
    draw.pick(2) === 0 ? wrong : fillWording(draw, kindWordings, { t: wrong }),
    bad,
  ];
  return draw.pick(FOUR_ONE_IN) === 0 ? texts : [...texts, garble(draw, right)];
}

function textOf({ solution }: Problem): string {
  return solution.at(-1)?.content ?? "";
}

/** Sounds like an answer of the task, and its grade here is 0. */
function wrongAnswer(
  draw: Draw,
  { task, wrong }: Source,
  problem: Problem,
  index: number,
  split: Split,
  seed: number,
): string {
  if (wrong !== undefined) return wrong(draw, textOf(problem));
  for (let step = 1; step <= MOST_OTHERS; step++) {
    const other = textOf(task.problem(index + step * 7919, split, seed));
    if (problem.grade([assistant(other)]) === 0) return other;
  }
  throw new Error(`preferences: every answer of task ${task.name} is right`);
}

/** 34 + 2 = 36 becomes 34 + 2 = 39: off by 1 to 9, never below zero. */
function changeLastNumber(draw: Draw, right: string): string {
  const off = draw.between(1, 9) * (draw.pick(2) === 0 ? 1 : -1);
  return right.replace(/\d+(?=\D*$)/, (digits) => {
    const number = Number(digits);
    return String(number + off < 0 ? number - off : number + off);
  });
}

/** The words of an answer in disorder, some of them again and again. */
function garble(draw: Draw, text: string): string {
  const words = text.split(/\s+/);
  const length = draw.between(4, 10);
  const picked: string[] = [];
  while (picked.length < length) {
    const word = draw.choose(words);
    picked.push(...Array.from({ length: draw.between(1, 3) }, () => word));
  }
  return picked.join(" ");
}

/** A random order of 0 … n - 1. */
function shuffled(draw: Draw, n: number): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = draw.pick(i + 1);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}
