/**
 * Talk without a computation: an intent is something a person may want, with many ways to say it
 * and a few good answers. The key is the question as it is worded, so the held-out side asks for
 * known things in unknown words.
 */
import { assistant, defineTask, plainContext, user } from "./define-task.ts";
import { finalText, toolCallsOf } from "./grade.ts";
import type { Task } from "./task.ts";
import { fillWording } from "./wording.ts";

export interface Intent {
  /** Templates with alternatives in brackets. */
  readonly asks: readonly string[];
  readonly answers: readonly string[];
  /** Every answer matches; a reply is right when it does. */
  readonly says: RegExp;
  /** What a right reply never says. */
  readonly never?: RegExp;
}

/** No good answer is longer or does for more intents: who says everything says nothing. */
const MOST_CHARACTERS = 240;
const MOST_INTENTS = 4;

export function intentTask(name: string, description: string, intents: readonly Intent[]): Task {
  return defineTask(name, description, (draw) => {
    const intent = draw.choose(intents);
    const question = fillWording(draw, intent.asks, {});
    const answer = draw.choose(intent.answers);
    return {
      key: question.toLowerCase(),
      problem: () => ({
        prompt: [user(question)],
        solution: [assistant(answer)],
        context: plainContext,
        grade: (reply) =>
          toolCallsOf(reply).length === 0 && fits(finalText(reply), intent, intents) ? 1 : 0,
      }),
    };
  });
}

function fits(text: string, { says, never }: Intent, intents: readonly Intent[]): boolean {
  if (text.length > MOST_CHARACTERS || !says.test(text) || never?.test(text)) return false;
  return intents.filter((other) => other.says.test(text)).length <= MOST_INTENTS;
}
