/** The talk's questions, answered once each: texts to read, with a grade where a program can tell. */
import { askAll } from "./ask.ts";
import type { MeasureContext, Measured } from "./measure.ts";
import { renderMessages } from "./measure-tasks.ts";
import { talkCases, toQuestion } from "./talk-cases.ts";

export async function measureTalk(context: MeasureContext): Promise<Measured> {
  const questions = talkCases.map((one) => toQuestion(one, context.subject.form));
  const options = { ...context.asked, ...context, samples: 1 };
  const replies = await askAll(context.subject, questions, options);
  const asked = talkCases.map((one, i) => ({ ...one, reply: replies[i]?.[0] }));
  return {
    replies: asked.flatMap(({ name, prompt, expected, grade, reply }) => {
      if (reply === undefined) return [];
      const told = { reply: renderMessages(reply.messages), grade: grade(reply) ? 1 : 0 };
      return [{ name, prompt, expected, ...told }];
    }),
    skipped: asked.flatMap(({ name, reply }) =>
      reply === undefined ? [{ name, reason: "does not fit the model's context" }] : [],
    ),
  };
}
