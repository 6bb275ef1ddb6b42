/**
 * What the models answered, beside each other: the talk's own questions, and the first examples
 * behind each measure. Nothing is chosen: an evaluation keeps the first ones of its seeded sample.
 */
import type { EvalExample, EvalReply } from "../eval/report.ts";
import { keyOf, measuredModels } from "./measures.ts";
import type { GrowRecord, ModelName } from "./record.ts";

/** One question and what each model said. */
export interface Case {
  readonly suite: string;
  readonly name: string;
  /** As the last model was asked; a base model may read the same question as plain text. */
  readonly prompt: string;
  readonly expected: string | undefined;
  readonly answers: Readonly<Partial<Record<ModelName, EvalExample>>>;
}

export function talkCases(record: GrowRecord): Case[] {
  return join(record, ({ replies }) => replies.map((reply) => [keyOf(reply), reply]));
}

/**
 * Of each measure with examples: its first problems. Answers meet where the question is the same to
 * the letter, since a model with a shorter context may have left one out.
 * @param most of each measure and model
 */
export function sampleCases(record: GrowRecord, most: number = Number.POSITIVE_INFINITY): Case[] {
  return join(record, ({ rows }) =>
    rows.flatMap(({ suite, name, examples }) =>
      examples.slice(0, most).map((example): [string, EvalReply] => {
        return [`${keyOf({ suite, name })}\n${example.prompt}`, { suite, name, ...example }];
      }),
    ),
  );
}

type Report = NonNullable<GrowRecord["evals"][ModelName]>;

function join(record: GrowRecord, of: (report: Report) => [string, EvalReply][]): Case[] {
  const cases = new Map<string, Case>();
  for (const [model, report] of measuredModels(record))
    for (const [key, reply] of of(report)) {
      const { suite, name, prompt, expected } = reply;
      const before = cases.get(key);
      const answers = { ...before?.answers, [model]: reply };
      cases.set(key, { suite, name, prompt, expected: expected ?? before?.expected, answers });
    }
  return [...cases.values()];
}

/** What a program says of a reply; undefined where none can tell. */
export function verdictOf(grade: number | undefined): string | undefined {
  if (grade === undefined || Number.isNaN(grade)) return undefined;
  if (grade === 1) return "right";
  return grade === 0 ? "wrong" : `partly, ${grade.toFixed(2)}`;
}
