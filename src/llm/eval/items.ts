/** The four forms of a question in an evaluation set, and how a file's rows become them. */
import { NutshellError } from "../../error.ts";
import { hashText } from "../data/hash.ts";

/** Which choice follows the query best. */
export interface ChoiceItem {
  readonly kind: "choice";
  readonly query: string;
  readonly choices: readonly string[];
  readonly gold: number;
}

/** Which beginning the ending follows best. */
export interface SchemaItem {
  readonly kind: "schema";
  readonly contexts: readonly string[];
  readonly ending: string;
  readonly gold: number;
}

/** What follows word by word. */
export interface ContinuationItem {
  readonly kind: "continuation";
  readonly context: string;
  readonly ending: string;
}

/** Answered in the model's own words. */
export interface OpenItem {
  readonly kind: "open";
  readonly question: string;
  /** All that are right; the first is the one to show. */
  readonly answers: readonly string[];
  /** How an example of it is answered. */
  readonly shown: string;
}

export type EvalItem = ChoiceItem | SchemaItem | ContinuationItem | OpenItem;

type DataRow = Readonly<Record<string, unknown>>;

/** A row of a file and where it stands, for errors. */
export interface LocatedRow {
  readonly row: DataRow;
  /** `FILE:LINE` */
  readonly where: string;
}

/** `{query, choices, gold}` */
export function toChoice({ row, where }: LocatedRow): ChoiceItem {
  const choices = texts(row, "choices", where);
  const gold = index(row, "gold", choices.length, where);
  return { kind: "choice", query: text(row, "query", where), choices, gold };
}

/** `{context_options, continuation, gold}` */
export function toSchema({ row, where }: LocatedRow): SchemaItem {
  const contexts = texts(row, "context_options", where);
  const gold = index(row, "gold", contexts.length, where);
  return { kind: "schema", contexts, ending: text(row, "continuation", where), gold };
}

/** `{context, continuation}` */
export function toContinuation({ row, where }: LocatedRow): ContinuationItem {
  const ending = text(row, "continuation", where);
  return { kind: "continuation", context: text(row, "context", where), ending };
}

/** `{context, answer, aliases}` */
export function toOpen({ row, where }: LocatedRow): OpenItem {
  const shown = text(row, "answer", where);
  const aliases = row.aliases === undefined ? [] : texts(row, "aliases", where, 0);
  return {
    kind: "open",
    question: text(row, "context", where),
    answers: [shown, ...aliases],
    shown,
  };
}

/** MMLU's `{question, choices, answer}`: the letters are the choices. */
export function toLettered({ row, where }: LocatedRow): ChoiceItem {
  const choices = texts(row, "choices", where);
  const letters = choices.map((_, i) => String.fromCharCode(65 + i));
  const listed = choices.map((choice, i) => `${letters[i]}. ${choice}`);
  const query = [text(row, "question", where), ...listed, "Answer:"].join("\n");
  const gold = index(row, "answer", choices.length, where);
  return { kind: "choice", query, choices: letters, gold };
}

/** TruthfulQA's MC1: the best answer among the wrong ones, at a place that its question decides. */
export function toTruthful({ row, where }: LocatedRow): ChoiceItem {
  const [question, best] = [text(row, "question", where), text(row, "best_answer", where)];
  const choices = texts(row, "incorrect", where).slice();
  const gold = hashText(question) % (choices.length + 1);
  choices.splice(gold, 0, best);
  return { kind: "choice", query: `Q: ${question}\nA:`, choices, gold };
}

/** BIG-Bench Hard's `{input, target}` */
export function toHard({ row, where }: LocatedRow): ContinuationItem {
  const context = `Q: ${text(row, "input", where)}\nA:`;
  return { kind: "continuation", context, ending: text(row, "target", where) };
}

/** GSM8K's `{question, answer}`: steps with marks of the calculator, then `#### N`. */
export function toGradeSchool({ row, where }: LocatedRow): OpenItem {
  const answer = text(row, "answer", where);
  const number = answer.slice(answer.lastIndexOf("####") + 4).trim();
  return { kind: "open", question: text(row, "question", where), answers: [number], shown: number };
}

/** `{context, continuation}` whose continuation is a number. */
export function toSum({ row, where }: LocatedRow): OpenItem {
  const shown = text(row, "continuation", where).trim();
  return { kind: "open", question: text(row, "context", where), answers: [shown], shown };
}

function text(row: DataRow, key: string, where: string): string {
  const value = row[key];
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw badRow(where, `"${key}" must be a text`, value);
}

function texts(row: DataRow, key: string, where: string, least = 1): string[] {
  const value = row[key];
  if (
    Array.isArray(value) &&
    value.length >= least &&
    value.every((item) => typeof item === "string")
  )
    return value;
  throw badRow(where, `"${key}" must be a list of texts`, value);
}

function index(row: DataRow, key: string, length: number, where: string): number {
  const value = row[key];
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < length)
    return value as number;
  throw badRow(where, `"${key}" must be a whole number below ${length}`, value);
}

function badRow(where: string, rule: string, value: unknown): NutshellError {
  const got = value === undefined ? "none" : JSON.stringify(value).slice(0, 80);
  return new NutshellError("DATA", `${where}: ${rule}, got ${got}. Repair the row or take it out.`);
}
