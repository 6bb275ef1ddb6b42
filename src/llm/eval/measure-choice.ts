/**
 * Multiple choice and schemas by mean loss; see `choice.ts`. Chance is that of the very items that
 * were asked, one over the number of their choices on average.
 */
import { centred, choiceSpans, lowest, meanLoss, type Span, schemaSpans } from "./choice.ts";
import type { DataSet } from "./data-sets.ts";
import { wilson } from "./intervals.ts";
import type { ChoiceItem, EvalItem, SchemaItem } from "./items.ts";
import { dropped, type MeasureContext, type Measured, shareRow } from "./measure.ts";
import type { Sampled } from "./read-items.node.ts";
import type { EvalExample } from "./report.ts";
import type { Subject } from "./subject.node.ts";
import { chatTokens, plainTokens, withFittingShots } from "./wording.ts";

interface Versions {
  readonly rows: readonly number[][];
  readonly spans: readonly Span[];
}

interface Judged {
  readonly item: ChoiceItem | SchemaItem;
  readonly picked: number;
}

/** Items whose rows are scored in one call. */
const AT_ONCE = 64;

export async function measureChoice(
  set: DataSet,
  sampled: readonly Sampled[],
  { subject, asked, signal, tell }: MeasureContext,
): Promise<Measured> {
  const scorer = subject.scorer();
  const judged: Judged[] = [];
  for (let first = 0; first < sampled.length; first += AT_ONCE) {
    signal.throwIfAborted();
    tell(first, sampled.length);
    const fitting = sampled.slice(first, first + AT_ONCE).flatMap(({ item, shots }) => {
      const choice = item as ChoiceItem | SchemaItem;
      const found = versionsOf(set, choice, shots, subject, scorer.longest);
      return found === undefined ? [] : [{ item: choice, ...found }];
    });
    const logprobs = await scorer.logprobs(fitting.flatMap(({ rows }) => rows));
    let at = 0;
    for (const { item, spans } of fitting) {
      const losses = spans.map((span) => meanLoss(logprobs[at++] as Float32Array, span));
      judged.push({ item, picked: lowest(losses) });
    }
  }
  return toMeasured(set, judged, sampled.length, asked.examples);
}

/** @returns undefined when the longest version does not fit, or one has nothing to score */
function versionsOf(
  set: DataSet,
  item: ChoiceItem | SchemaItem,
  shots: readonly EvalItem[],
  subject: Subject,
  longest: number,
): Versions | undefined {
  const rows = withFittingShots(
    shots,
    longest,
    (fewer) => rowsOf(set, item, fewer, subject),
    (built) => Math.max(...built.map((row) => row.length)),
  );
  if (rows === undefined) return undefined;
  const spans = item.kind === "choice" ? choiceSpans(rows) : schemaSpans(rows);
  return spans.every(({ start, end }) => start < end) ? { rows, spans } : undefined;
}

function rowsOf(
  set: DataSet,
  item: ChoiceItem | SchemaItem,
  shots: readonly EvalItem[],
  subject: Subject,
): number[][] {
  if (item.kind === "schema")
    return item.contexts.map((text) => plainTokens(set, subject, text, shots, item.ending));
  return item.choices.map((choice) =>
    subject.form === "chat"
      ? chatTokens(subject, item.query, shots, choice)
      : plainTokens(set, subject, item.query, shots, choice),
  );
}

function toMeasured(
  set: DataSet,
  judged: readonly Judged[],
  asked: number,
  examples: number,
): Measured {
  if (judged.length === 0)
    return { skipped: [{ name: set.name, reason: "no row fits the model's context" }] };
  const right = judged.filter(({ item, picked }) => picked === item.gold).length;
  const guesses = judged.map(({ item }) => 1 / optionsOf(item).length);
  const chance = guesses.reduce((sum, guess) => sum + guess, 0) / judged.length;
  const estimate = wilson(right, judged.length);
  const more = { chance, centred: centred(estimate.value, chance) };
  const shown = judged.slice(0, examples).map(toExample);
  const left = dropped(asked - judged.length);
  return { rows: [shareRow(set.name, estimate, shown, { ...more, ...left })] };
}

function optionsOf(item: ChoiceItem | SchemaItem): readonly string[] {
  return item.kind === "choice" ? item.choices : item.contexts;
}

function toExample({ item, picked }: Judged): EvalExample {
  const options = optionsOf(item);
  return {
    prompt: item.kind === "choice" ? item.query : `… ${item.ending}`,
    reply: options[picked] as string,
    expected: options[item.gold] as string,
    grade: picked === item.gold ? 1 : 0,
  };
}
