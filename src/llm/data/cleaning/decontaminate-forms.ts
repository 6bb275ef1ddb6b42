/**
 * The texts in which a row of an evaluation set would stand in a training text: the question alone,
 * with its answer, with all of its choices, numbered or not; the passage with its continuation; the
 * code. Rows of unknown shape give their first string, and all of them one after the other.
 */

export type EvalRow = Readonly<Record<string, unknown>>;

export interface RowForms {
  /** Also indexed as one n-gram when they have 8 to 12 words. */
  readonly whole: readonly string[];
  /** Indexed by their 13-grams only. */
  readonly long: readonly string[];
}

/** Fields that name or sort a row and say nothing of it. */
const NAMES =
  /^(.*_?id|task|subject|category|type|split|source|label|entry_point|aliases|incorrect.*)$/i;

const STEMS = ["question", "query", "context", "prompt", "input", "instruction", "problem", "text"];
const ANSWERS = ["answer", "continuation", "target", "best_answer", "correct", "solution", "code"];
const MORE_ANSWERS = ["canonical_solution", "output", "response", "completion"];
const CHOICES = ["choices", "options", "endings"];

export function rowForms(row: EvalRow): RowForms {
  const texts = Object.entries(row).flatMap(([name, value]) =>
    NAMES.test(name) ? [] : [...stringsOf(value)],
  );
  const stems = stemsOf(row, texts);
  const choices = CHOICES.flatMap((name) => [...stringsOf(row[name])]);
  const answers = [...goldChoices(row, choices), ...answersOf(row)];
  const lists = choices.length === 0 ? [] : [choices, choices.map((text, i) => `${i + 1} ${text}`)];
  const endings = [...answers, ...lists.map((list) => list.join(" "))];
  return {
    whole: [...stems, ...stems.flatMap((stem) => endings.map((ending) => `${stem} ${ending}`))],
    long: [texts.join(" ")],
  };
}

/** A schema row has several contexts, one for each option. */
function stemsOf(row: EvalRow, texts: readonly string[]): string[] {
  const options = [...stringsOf(row.context_options)];
  if (options.length > 0) return options;
  const stem = STEMS.flatMap((name) => (typeof row[name] === "string" ? [row[name]] : []))[0];
  return stem === undefined ? texts.slice(0, 1) : [stem];
}

function answersOf(row: EvalRow): string[] {
  return [...ANSWERS, ...MORE_ANSWERS].flatMap((name) => [...stringsOf(row[name])]);
}

function goldChoices({ gold, answer }: EvalRow, choices: readonly string[]): string[] {
  const chosen = [gold, answer].flatMap((index) =>
    typeof index === "number" ? (choices[index] ?? []) : [],
  );
  return chosen.length > 0 ? chosen : [...choices];
}

/** All strings inside a value, in order. */
function* stringsOf(value: unknown): Generator<string> {
  if (typeof value === "string") yield value;
  else if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) yield* stringsOf(part);
  }
}
