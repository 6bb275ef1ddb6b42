/**
 * Common sense: "It's raining, so I should bring an" wants "umbrella". Sentences to complete and
 * questions, over a table of everyday causes. A reply is right when it names the thing of its row
 * and no other thing of the table.
 */
import { assistant, defineTask, plainContext, user } from "./define-task.ts";
import { answersWord, toolCallsOf } from "./grade.ts";
import { rainTable } from "./rain-table.ts";
import type { Task } from "./task.ts";
import { fillWording } from "./wording.ts";

/** Completed with the bare thing. {article} ends the sentence where the thing has one. */
const beginnings: readonly string[] = [
  "{Cause}[ so|, so] I should {act}{article}",
  "{Cause}[ so|, so] [I must|I have to|I will|you should] {act}{article}",
  "I should {act}{article} [...|___], because {cause}.",
  "Complete the sentence: {Cause}, so I should {act}{article}",
];

/** Answered with a sentence. */
const questions: readonly string[] = [
  "{Cause}. What should I {act}?",
  "{Cause}. What do I need?",
  "What should I {act} [when|if] {cause}?",
  "What do I need [when|if] {cause}?",
];

const things = rainTable.map(({ thing }) => nounOf(thing));

/** The sentence of the talk, shown by every report: so no beginning is trained on that asks it. */
const SHOWN = "an umbrella";
const SHOWN_KEY = "it's raining so i should bring an";

export const rainTask: Task = defineTask("rain", "What an everyday cause asks for", (draw) => {
  const { causes, act, thing } = draw.choose(rainTable);
  const cause = draw.choose(causes);
  const isBeginning = draw.pick(2) === 0;
  const noun = nounOf(thing);
  const article = thing === noun ? "" : ` ${thing.slice(0, -noun.length - 1)}`;
  const values = { cause, act, article };
  const question = fillWording(draw, isBeginning ? beginnings : questions, values);
  const answer = isBeginning ? `${noun}.` : `You should ${act} ${thing}.`;
  return {
    key: isBeginning && thing === SHOWN ? SHOWN_KEY : question.toLowerCase(),
    problem: () => ({
      prompt: [user(question)],
      solution: [assistant(answer)],
      context: plainContext,
      grade: (reply) =>
        toolCallsOf(reply).length === 0 && answersWord(reply, noun, rivalsOf(noun)) ? 1 : 0,
    }),
  };
});

function nounOf(thing: string): string {
  return thing.replace(/^(?:an?|the) /, "");
}

/** A thing whose words stand inside the answer is no rival: "water" in "watering can" is none. */
function rivalsOf(noun: string): readonly string[] {
  return things.filter((thing) => !` ${noun} `.includes(` ${thing} `));
}
