/** Questions answered in the model's own words: an answer is right when it is one of the answers. */
import { plainContext } from "../tasks/define-task.ts";
import { hasNumber, isExactMatch } from "./answers.ts";
import { askAll, type Question, type Reply } from "./ask.ts";
import type { DataSet } from "./data-sets.ts";
import { meanRate } from "./intervals.ts";
import type { EvalItem, OpenItem } from "./items.ts";
import { dropped, type MeasureContext, type Measured, shareRow } from "./measure.ts";
import { passAtK, passSizes } from "./pass-at-k.ts";
import type { Sampled } from "./read-items.node.ts";
import type { Subject } from "./subject.node.ts";
import {
  chatQuestion,
  chatTokens,
  plainQuestion,
  plainTokens,
  withFittingShots,
} from "./wording.ts";

/** Of a context, what examples and question leave to the reply. */
const ROOM_FOR_REPLY = 0.5;

export async function measureOpen(
  set: DataSet,
  sampled: readonly Sampled[],
  context: MeasureContext,
): Promise<Measured> {
  const { subject, asked } = context;
  const items = sampled.map(({ item }) => item as OpenItem);
  const questions = sampled.map(({ item, shots }) =>
    toQuestion(set, item as OpenItem, shots, subject),
  );
  const replies = await askAll(subject, questions, { ...asked, ...context });
  const answered = items.flatMap((item, i) => {
    const found = replies[i];
    return found === undefined ? [] : [{ item, found, rate: rightShare(set, item, found) }];
  });
  if (answered.length === 0)
    return { skipped: [{ name: set.name, reason: "no question fits the model's context" }] };
  const rates = answered.map(({ rate }) => rate);
  const shown = answered.slice(0, asked.examples).map(({ item, found, rate }) => ({
    ...{ prompt: item.question, reply: found[0]?.text ?? "", expected: item.shown, grade: rate },
  }));
  const left = dropped(items.length - answered.length);
  const sizes = asked.samples > 1 ? passSizes(asked.samples) : [];
  return {
    rows: [
      shareRow(set.name, meanRate(rates, asked.seed), shown, left),
      ...sizes.map((k) => {
        const passes = rates.map((rate) =>
          passAtK(asked.samples, Math.round(rate * asked.samples), k),
        );
        return shareRow(`${set.name} pass@${k}`, meanRate(passes, asked.seed), [], left);
      }),
    ],
  };
}

function toQuestion(
  set: DataSet,
  { question }: OpenItem,
  shots: readonly EvalItem[],
  subject: Subject,
): Question {
  const longest = Math.floor(subject.contextLen * ROOM_FOR_REPLY);
  const isChat = subject.form === "chat";
  const lengthOf = (fewer: readonly EvalItem[]): number =>
    isChat
      ? chatTokens(subject, question, fewer, "").length
      : plainTokens(set, subject, question, fewer, "").length;
  const fitting = withFittingShots(shots, longest, (fewer) => fewer, lengthOf) ?? [];
  if (isChat) return { messages: chatQuestion(question, fitting), context: plainContext };
  return { text: plainQuestion(set, question, fitting) };
}

function rightShare(set: DataSet, { answers }: OpenItem, replies: readonly Reply[]): number {
  const isRight = ({ text }: Reply): boolean =>
    set.numeric === true
      ? answers.some((answer) => hasNumber(text, answer))
      : isExactMatch(text, answers);
  return replies.filter(isRight).length / replies.length;
}
