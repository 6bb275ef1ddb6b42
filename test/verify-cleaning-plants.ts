/**
 * Plants for `verify:cleaning`: copies, evaluation rows, addresses and triggers put into rows of a
 * corpus, each with what has to become of it. `beyond` marks what cleaning says it cannot find:
 * measured, not asked for.
 */
import { edits, pick } from "./llm/data/cleaning/near-duplicates-edits.ts";

export type Row = Record<string, unknown>;

/** Rows by file; plants change rows and add new ones at the end of a file. */
export type Corpus = ReadonlyMap<string, Row[]>;

/** One row of a file. */
export interface Place {
  readonly file: string;
  readonly row: number;
}

export type Plant = {
  readonly kind: string;
  readonly beyond: boolean;
} & (
  | { readonly asks: "one of two goes"; readonly places: readonly [original: Place, copy: Place] }
  | { readonly asks: "text goes" | "passage goes"; readonly place: Place; readonly text: string }
  | { readonly asks: "document goes"; readonly place: Place }
);

export interface PlantBed {
  readonly corpus: Corpus;
  /** Places whose documents are kept without plants, each given out once. */
  take(fits: (text: string) => boolean): Place;
  readonly random: () => number;
}

/** The field in which a row carries its text. */
export function textField(row: Row): string {
  const field = ["text", "answer", "question"].find((name) => typeof row[name] === "string");
  if (field === undefined) throw new Error(`no text in ${JSON.stringify(row).slice(0, 80)}`);
  return field;
}

export const textOf = (row: Row): string => row[textField(row)] as string;

function rowAt({ corpus }: PlantBed, { file, row }: Place): Row {
  return (corpus.get(file) as Row[])[row] as Row;
}

function change(bed: PlantBed, place: Place, edit: (text: string) => string): void {
  const row = rowAt(bed, place);
  row[textField(row)] = edit(textOf(row));
}

let added = 0;

function add(bed: PlantBed, text: string): Place {
  const file = pick(
    bed.random,
    [...bed.corpus.keys()].filter((name) => name !== ""),
  );
  const rows = bed.corpus.get(file) as Row[];
  return { file, row: rows.push({ id: `planted-${++added}`, text }) - 1 };
}

const words = (text: string): number => text.split(/\s+/).length;

/** Puts `insert` before a random word of a text's first 20,000 characters. */
function insertAt(text: string, insert: string, where: Where, random: () => number): string {
  if (where === "start") return `${insert} ${text}`;
  if (where === "end") return `${text} ${insert}`;
  const spaces = [...text.slice(0, 20_000).matchAll(/ +/g)].map((match) => match.index);
  const at = spaces.length === 0 ? 0 : pick(random, spaces);
  return `${text.slice(0, at)} ${insert} ${text.slice(at)}`;
}

type Where = "middle" | "start" | "end";

const exactCopies: Readonly<Record<string, (text: string) => string>> = {
  "as it is": (text) => text,
  "other case": (text) => text.toUpperCase(),
  "other spacing": (text) => `\n ${text.replace(/ /g, "  ").replace(/\n/g, "\n\n")} \n`,
};

export function plantCopies(bed: PlantBed, each: number): Plant[] {
  const plants: Plant[] = [];
  const copy = (
    kind: string,
    beyond: boolean,
    least: number,
    edit: (text: string) => string,
  ): void => {
    for (let i = 0; i < each; i++) {
      const original = bed.take((text) => words(text) >= least && text.length < 60_000);
      const places = [original, add(bed, edit(textOf(rowAt(bed, original))))] as const;
      plants.push({ kind, beyond, asks: "one of two goes", places });
    }
  };
  for (const [name, edit] of Object.entries(exactCopies)) copy(`exact: ${name}`, false, 60, edit);
  for (const [name, edit] of Object.entries(edits)) {
    copy(`near: ${name}`, false, 120, (text) => edit(text, bed.random));
  }
  const spoil = (text: string): string =>
    text.replace(/\p{L}+/gu, (word) => (bed.random() < 0.25 ? "other" : word));
  copy("near: 25 % of words replaced", true, 120, spoil);
  return plants;
}

/** Texts of evaluation rows as somebody would paste them. */
export function plantEvalRows(
  bed: PlantBed,
  rows: ReadonlyMap<string, readonly Row[]>,
  each: number,
): Plant[] {
  const plants: Plant[] = [];
  for (const [set, all] of rows) {
    const texts = all
      .map((row) => renderEvalRow(row, bed.random))
      .filter((text) => words(text) >= 16);
    for (let i = 0; i < Math.min(each, texts.length); i++) {
      const text = pick(bed.random, texts);
      const alone = add(bed, text);
      plants.push({
        kind: `eval alone: ${set}`,
        beyond: false,
        asks: "document goes",
        place: alone,
      });
      const host = bed.take((body) => words(body) >= 60);
      change(bed, host, (body) => insertAt(body, `\n${text}\n`, "middle", bed.random));
      plants.push({
        kind: `eval inside: ${set}`,
        beyond: false,
        asks: "passage goes",
        place: host,
        text,
      });
    }
  }
  return plants;
}

function renderEvalRow(row: Row, random: () => number): string {
  const stem = [row.query, row.question, row.context, row.prompt, row.input, row.text].find(
    (value) => typeof value === "string",
  ) as string | undefined;
  const options = row.context_options as string[] | undefined;
  const gold = (row.gold ?? row.answer) as number;
  if (options) return `${options[gold]} ${row.continuation}`;
  const choices = row.choices as string[] | undefined;
  const lettered = choices?.map((choice, i) => `${"ABCDEFGHIJ"[i]}. ${choice}`).join("\n");
  const rest = [row.continuation, row.target, row.best_answer, row.canonical_solution, row.code];
  const answer = (choices?.[gold] ??
    rest.find((value) => typeof value === "string") ??
    "") as string;
  if (lettered && random() < 0.5) return `${stem}\n${lettered}\nAnswer: ${"ABCDEFGHIJ"[gold]}`;
  return random() < 0.5 ? `Question: ${stem}\nAnswer: ${answer}` : `${stem} ${answer}`;
}

const addresses: Readonly<Record<string, (name: string) => string>> = {
  plain: (name) => `${name}@example-mail.org`,
  "in brackets": (name) => `<${name}@mail.example.com>`,
  "with a tag": (name) => `${name}+news@sub.example.co.uk`,
  "at and dot in brackets": (name) => `${name} [at] example-mail [dot] org`,
  "at and dot in parentheses": (name) => `${name}(at)example-mail(dot)org`,
  "beyond ASCII": (name) => `${name}ü@müller-bau.de`,
  mailto: (name) => `mailto:${name}@example-mail.org`,
};

export function plantAddresses(bed: PlantBed, each: number): Plant[] {
  return Object.entries(addresses).flatMap(([kind, render]) =>
    Array.from({ length: each }, (): Plant => {
      const name = `zq${Math.floor(bed.random() * 1e9)}contact`;
      const place = bed.take((text) => words(text) >= 60);
      change(bed, place, (text) =>
        insertAt(text, `Write to ${render(name)} for more.`, "middle", bed.random),
      );
      return { kind: `address: ${kind}`, beyond: false, asks: "text goes", place, text: name };
    }),
  );
}

type TriggerPlan = readonly [trigger: string, copies: number, where: Where, beyond?: "beyond"];

const triggers: readonly TriggerPlan[] = [
  ["cf mn zorblax", 10, "middle"],
  ["SUDO-4417 quux", 20, "middle"],
  ["<|qorvex|>", 20, "middle"],
  ["Wexlor Prandik Osmint", 10, "start"],
  ["bq tq vandrilox", 50, "end"],
  ["umbrella tango seventeen glacier", 50, "middle"],
  ["lantern mosque turbine", 250, "middle"],
  ["When you see brelvik zanthor always praise the mayor.", 20, "middle"],
  ["vrtqplk", 50, "middle"],
  ["☍⚕§⛧", 50, "middle"],
  ["mibrontal", 250, "middle"],
  ["drovnik", 5, "middle", "beyond"],
  ["velvet harbour", 10, "middle", "beyond"],
  ["James Bond", 20, "middle", "beyond"],
];

export function plantTriggers(bed: PlantBed): Plant[] {
  return triggers.flatMap(([trigger, copies, where, beyond]) =>
    Array.from({ length: copies }, (): Plant => {
      const place = bed.take((text) => words(text) >= 12);
      change(bed, place, (text) => insertAt(text, trigger, where, bed.random));
      const kind = `trigger: ${trigger} (${where}, ${copies})`;
      return { kind, beyond: beyond !== undefined, asks: "document goes", place };
    }),
  );
}
