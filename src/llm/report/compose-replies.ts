/** What the models answered: the talk's questions, and first examples behind the numbers. */
import { type Answer, type Block, type Cell, cell } from "./document.ts";
import { ABSENT } from "./figures.ts";
import { measuredModels } from "./measures.ts";
import {
  type GrowRecord,
  type ModelName,
  modelTitles,
  type StageRecord,
  stageTitles,
} from "./record.ts";
import { type Case, sampleCases, talkCases, verdictOf } from "./replies.ts";
import { SHOWN, showText } from "./show-text.ts";

const HOW_SHOWN =
  `Replies are exact, cut after ${SHOWN} characters; signs that a page would hide are shown as ` +
  "symbols (␣ space at an end, ⇥ tab, ↵ line break at an end). Right and wrong are a program's " +
  "verdicts.";

/** Of each measure and model, and characters of their texts: there are many, and `report.json` has all. */
const [SAMPLES, SAMPLE_LENGTH] = [2, 300] as const;

/** Which model answered which question right, and then every answer. */
export function composeReplies(record: GrowRecord): Block[] {
  const cases = talkCases(record);
  if (cases.length === 0) return [];
  const models = measuredModels(record).map(([name]) => name);
  const rows = cases.map((one): Cell[] => [
    cell(one.name),
    ...models.map((model) => {
      const answer = one.answers[model];
      return cell(answer === undefined ? ABSENT : (verdictOf(answer.grade) ?? "see below"));
    }),
  ]);
  const head = ["question", ...models.map((model) => modelTitles[model])];
  return [
    { kind: "table", head, rows, words: 1 + models.length },
    { kind: "paragraph", text: HOW_SHOWN },
    ...cases.map((one) => answersBlock(one, models)),
  ];
}

/** Folded by measure; and what the base model writes without being asked. */
export function composeSamples(record: GrowRecord): Block[] {
  const cases = Map.groupBy(sampleCases(record, SAMPLES), ({ suite, name }) => `${suite}, ${name}`);
  const models = measuredModels(record);
  const names = models.map(([name]) => name);
  const folded = [...cases].map(([summary, found]): Block => {
    const blocks = found.map((one, i) =>
      answersBlock({ ...one, name: `${i + 1}` }, names, SAMPLE_LENGTH),
    );
    return { kind: "folded", summary: `${summary} (first ${found.length})`, blocks };
  });
  const texts = record.stages.flatMap(trainingSamples);
  if (folded.length === 0 && texts.length === 0) return [];
  const seeds = [...new Set(models.map(([, { seed }]) => seed))].join(", ");
  const text =
    `Not chosen: of each measure the first problems of the sample that seed ${seeds} draws, with ` +
    `every model's answer, cut after ${SAMPLE_LENGTH} characters. More of them, whole, in report.json.`;
  return [
    ...(folded.length === 0 ? [] : [{ kind: "paragraph", text } as const, ...folded]),
    ...texts,
  ];
}

function answersBlock(
  { name, prompt, expected, answers }: Case,
  models: ModelName[],
  most: number = SHOWN,
): Block {
  const shown = models.flatMap((model): Answer[] => {
    const answer = answers[model];
    if (answer === undefined) return [];
    const asked = answer.prompt === prompt ? "" : " (asked in another form)";
    const verdict = verdictOf(answer.grade);
    return [
      { model: `${modelTitles[model]}${asked}`, verdict, text: showText(answer.reply, most) },
    ];
  });
  const want = expected === undefined ? undefined : showText(expected, most);
  return {
    kind: "answers",
    title: name,
    prompt: showText(prompt, most),
    expected: want,
    answers: shown,
  };
}

/** What a stage wrote last while it trained: the prompt and what followed. */
function trainingSamples({ name, metrics }: StageRecord): Block[] {
  const samples = metrics.filter(({ sample }) => typeof sample === "string");
  const last = samples.at(-1)?.step;
  const found = samples.filter(({ step }) => step === last);
  if (found.length === 0) return [];
  const blocks = found.map(({ sample }): Block => {
    return { kind: "verbatim", text: showText(sample as string) };
  });
  const summary = `${stageTitles[name]}, written at step ${last} (all ${found.length})`;
  return [{ kind: "folded", summary, blocks }];
}
