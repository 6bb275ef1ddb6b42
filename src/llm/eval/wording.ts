/**
 * How an item of a set is put to a model: as plain text, solved examples first, with blank lines
 * between; or as a chat whose earlier turns are the examples. A base model only knows the first.
 */
import type { Message } from "../chat/conversation.ts";
import { renderPrompt } from "../chat/template.ts";
import { startOf } from "./ask.ts";
import type { DataSet } from "./data-sets.ts";
import type { EvalItem } from "./items.ts";
import type { Subject } from "./subject.node.ts";

/** What is asked and what is right, whatever the form of the item. */
interface Wording {
  readonly question: string;
  readonly answer: string;
}

function wordingOf(item: EvalItem): Wording {
  if (item.kind === "choice")
    return { question: item.query, answer: item.choices[item.gold] as string };
  if (item.kind === "schema")
    return { question: item.contexts[item.gold] as string, answer: item.ending };
  if (item.kind === "continuation") return { question: item.context, answer: item.ending };
  return { question: item.question, answer: item.shown };
}

/** @returns the text up to where an answer begins, without the space before it */
export function plainQuestion(set: DataSet, question: string, shots: readonly EvalItem[]): string {
  const solved = shots.map((shot) => {
    const { question, answer } = wordingOf(shot);
    return `${question.trimEnd()}${set.delimiter}${answer.trim()}\n\n`;
  });
  return `${solved.join("")}${question.trimEnd()}${set.delimiter.trimEnd()}`;
}

/** @returns the messages up to the question */
export function chatQuestion(question: string, shots: readonly EvalItem[]): Message[] {
  const solved = shots.flatMap((shot): Message[] => {
    const { question, answer } = wordingOf(shot);
    return [
      { role: "user", content: question.trim() },
      { role: "assistant", content: answer.trim() },
    ];
  });
  return [...solved, { role: "user", content: question.trim() }];
}

/** @returns the tokens of a text from its start, `answer` after `question` */
export function plainTokens(
  set: DataSet,
  subject: Subject,
  question: string,
  shots: readonly EvalItem[],
  answer: string,
): number[] {
  const space = set.delimiter.slice(set.delimiter.trimEnd().length);
  const text = `${plainQuestion(set, question, shots)}${space}${answer.trim()}`;
  return [...startOf(subject.tokenizer), ...subject.tokenizer.encode(text)];
}

/** @returns the tokens of a chat in which the assistant has said `answer` so far */
export function chatTokens(
  { tokenizer }: Subject,
  question: string,
  shots: readonly EvalItem[],
  answer: string,
): number[] {
  const prompt = renderPrompt(chatQuestion(question, shots), tokenizer);
  return [...prompt, ...tokenizer.encode(answer.trim())];
}

/** The most examples with which all rows fit. @returns undefined when none do without examples */
export function withFittingShots<T>(
  shots: readonly EvalItem[],
  longest: number,
  build: (shots: readonly EvalItem[]) => T,
  lengthOf: (built: T) => number,
): T | undefined {
  for (let count = shots.length; count >= 0; count--) {
    const built = build(shots.slice(0, count));
    if (lengthOf(built) <= longest) return built;
  }
  return undefined;
}
