/**
 * Time, date and weekday, which no model can know: one call of the clock, one sentence. The clock
 * shows any minute of a hundred years.
 */
import { assistant, callTool, defineTask, user } from "./define-task.ts";
import { exactToolCall, finalText } from "./grade.ts";
import type { Problem, Task } from "./task.ts";
import { fillWording } from "./wording.ts";

interface Asked {
  readonly wordings: readonly string[];
  readonly sentences: readonly string[];
  /** @param shown weekday, date, time of the clock */
  value(shown: readonly string[]): string;
}

const asked: Readonly<Record<string, Asked>> = {
  time: {
    wordings: [
      "[What time is it|What is the time|What's the time][| now| right now]?",
      "[Can|Could] you tell me the time[|, please]?",
      "[Tell me|Give me|Show me] the time[|, please].",
      "[Hi|Hello|Hey], [what time is it|do you have the time]?",
      "[Time|The time][|, please]?",
      "How late is it[| now]?",
    ],
    sentences: ["It is {value}."],
    value: ([, , time = ""]) => time,
  },
  date: {
    wordings: [
      "[What is|What's] [the date|today's date][| today]?",
      "[Which|What] date is it[| today]?",
      "[Can|Could] you tell me [the date|today's date]?",
      "[Tell me|Give me|Show me] [the date|today's date][|, please].",
      "[Hi|Hello|Hey], [what is the date today|which date is it]?",
    ],
    sentences: ["Today is {value}.", "The date is {value}."],
    value: ([, date = ""]) => date,
  },
  weekday: {
    wordings: [
      "[What|Which] day [is it|is it today|of the week is it|is today]?",
      "[What|Which] weekday [is it|is today|do we have today]?",
      "[Can|Could] you tell me [what|which] day it is?",
      "[Tell me|Say] [what|which] [day|weekday] it is[| today].",
      "[Hi|Hello|Hey], [what|which] day is it[| today]?",
    ],
    sentences: ["{value}."],
    value: ([day = ""]) => day,
  },
};

const START = Date.UTC(1970, 0, 1);
const MINUTES = 100 * 365 * 24 * 60;
const DAYS = /\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b/gi;

export const clockTask: Task = defineTask("clock", "Time, date or weekday by the clock", (draw) => {
  const now = new Date(START + draw.pick(MINUTES) * 60_000);
  const kind = draw.choose(Object.keys(asked));
  const { wordings, sentences, value: resultOf } = asked[kind] as Asked;
  const question = fillWording(draw, wordings, {});
  const sentence = draw.choose(sentences);
  const context = { now, files: {} };
  const problem = (): Problem => {
    const turns = callTool("clock", {}, context);
    const value = resultOf(turns[1].content.split(" "));
    const made: Problem = {
      prompt: [user(question)],
      solution: [...turns, assistant(sentence.replace("{value}", value))],
      context,
      grade: (reply) => (exactToolCall(reply, made) && saysOnly(finalText(reply), value) ? 1 : 0),
    };
    return made;
  };
  return { key: `${kind} ${now.toISOString()}`, problem };
});

/** The value once or more, and beside it no other day, number or half of one. */
function saysOnly(text: string, value: string): boolean {
  if (!text.includes(value)) return false;
  const rest = text.replaceAll(value, " ");
  if (/\d/.test(rest)) return false;
  return /\d/.test(value) || (rest.match(DAYS) ?? []).length === 0;
}
