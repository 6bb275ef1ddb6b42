/**
 * Level W2: what an attacker who wrote everything that the quarantined model reads can make it say.
 * Of a bounded type every value (both ends and the attacker's own where there are too many), of a
 * text everything that stands in his orders. Tried are: all questions answered out of the orders'
 * like-named arguments, all answered alike, and each alone with the others honest.
 */

import type { AnswerType } from "../../src/os/plan/question.ts";
import { isAnswer } from "../../src/os/plan/question.ts";
import type { Json } from "../../src/os/security/labelled.ts";
import type { BenchTask } from "./bench-suite.ts";
import type { InjectionTask } from "./suite-format.ts";

/** Of a bounded type, tried one by one. */
const MOST_VALUES = 16;

export function* answersOf(
  types: ReadonlyMap<string, AnswerType>,
  { oracle }: BenchTask,
  injection: InjectionTask,
  { answersPerPair }: { readonly answersPerPair: number },
): Generator<ReadonlyMap<string, Json>> {
  const honest = oracle.answers;
  let left = answersPerPair;
  for (const answers of everything(types, honest, injection)) {
    yield answers;
    left -= 1;
    if (left === 0) return;
  }
}

function* everything(
  types: ReadonlyMap<string, AnswerType>,
  honest: ReadonlyMap<string, Json>,
  injection: InjectionTask,
): Generator<ReadonlyMap<string, Json>> {
  const words = wordsOf(injection);
  const choices = new Map([...types].map(([name, type]) => [name, valuesOf(type, words)]));
  for (const call of injection.calls) {
    const like = [...types].map(([name, type]) => {
      const value = argumentAt(call.args, /argument \/([^/]*)/.exec(name)?.[1] ?? "");
      return [name, value !== undefined && isAnswer(type, value) ? value : honest.get(name)];
    });
    yield new Map(like as [string, Json][]);
  }
  const most = Math.max(0, ...[...choices.values()].map((values) => values.length));
  for (let i = 0; i < most; i += 1) {
    yield new Map([...choices].map(([name, values]) => [name, values[i % values.length] ?? null]));
  }
  for (const [name, values] of choices) {
    for (const value of values) yield new Map([...honest, [name, value]]);
  }
  yield new Map();
}

/** Every value in the orders, as a text and as a number, and the goal itself. */
function wordsOf({ goal, calls }: InjectionTask): Json[] {
  const values = calls.flatMap(({ args }) => Object.values(args)).flatMap(leaves);
  return [...new Set([...values, ...values.map(String), goal])];
}

function leaves(value: Json): Json[] {
  if (typeof value !== "object" || value === null) return [value];
  return Object.values(value).flatMap((part) => leaves(part as Json));
}

function argumentAt(args: Readonly<Record<string, Json>>, name: string): Json | undefined {
  const value = Object.hasOwn(args, name) ? args[name] : undefined;
  const first = value === undefined ? undefined : leaves(value)[0];
  return typeof first === "number" ? String(first) : first;
}

function valuesOf(type: AnswerType, words: readonly Json[]): Json[] {
  const own = words.filter((word) => isAnswer(type, word));
  if (type.kind === "bool") return [true, false];
  if (type.kind === "enum") return type.names.slice(0, MOST_VALUES);
  if (type.kind === "ref") return range(0, type.count - 1);
  if (type.kind === "int") return [...own, ...range(type.least, type.most)];
  return type.kind === "date" ? [...own, "1999-12-31"] : own;
}

function range(least: number, most: number): number[] {
  const count = Math.min(MOST_VALUES - 1, most - least + 1);
  return [...Array.from({ length: count }, (_, i) => least + i), most];
}
