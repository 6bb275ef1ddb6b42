/**
 * Typed questions to a quarantined model. An answer's type is its capacity: how many bits whoever
 * wrote the text that the model read could choose. An answer that fails is one choice more.
 */
import type { Json, Labelled } from "../security/labelled.ts";

/** Written in plans as Bool, Int(1, 9), Enum("a", "b"), Date, Ref(list), Str(200). */
export type AnswerType =
  | { readonly kind: "bool" }
  | { readonly kind: "int"; readonly least: number; readonly most: number }
  | { readonly kind: "enum"; readonly names: readonly string[] }
  /** "2026-11-23", of the years 1900 to 2099. */
  | { readonly kind: "date" }
  /** An element of a list of so many, told by its index; the model sees `choices`. */
  | { readonly kind: "ref"; readonly count: number }
  /** A text of up to so many UTF-16 units: no bound on what it can steer. */
  | { readonly kind: "str"; readonly most: number };

export interface TypedQuestion {
  /** Unique within the plan's run: key of its bits in `Label.influence`. */
  readonly id: string;
  readonly type: AnswerType;
  readonly text: Labelled;
  /** A list: the values that the question is about. */
  readonly about: Labelled;
  /** The list whose element a "ref" names. */
  readonly choices?: Labelled;
}

const DAYS = 73_049; // from 1900-01-01 to 2099-12-31

function countOf(type: AnswerType): number {
  if (type.kind === "int") return type.most - type.least + 1;
  if (type.kind === "enum") return type.names.length;
  if (type.kind === "ref") return type.count;
  return { bool: 2, date: DAYS, str: Number.POSITIVE_INFINITY }[type.kind];
}

/** Bits that an answer of this type can carry, its failure counted as one answer more. */
export const capacity = (type: AnswerType): number => Math.log2(countOf(type) + 1);

function isDate(text: string): boolean {
  const time = /^(19|20)\d\d-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

/** Whether `answer` is a value of the type; nothing is coerced. */
export function isAnswer(type: AnswerType, answer: Json): boolean {
  if (type.kind === "bool") return typeof answer === "boolean";
  if (type.kind === "int") {
    const within = Number.isInteger(answer) && (answer as number) >= type.least;
    return within && (answer as number) <= type.most;
  }
  if (type.kind === "ref") {
    return Number.isInteger(answer) && (answer as number) >= 0 && (answer as number) < type.count;
  }
  if (typeof answer !== "string") return false;
  if (type.kind === "enum") return type.names.includes(answer);
  return type.kind === "date" ? isDate(answer) : answer.length <= type.most;
}

/** JSON Schema of an answer, to constrain a model that writes one. */
export function answerSchema(type: AnswerType): Readonly<Record<string, Json>> {
  if (type.kind === "bool") return { type: "boolean" };
  if (type.kind === "int") return { type: "integer", minimum: type.least, maximum: type.most };
  if (type.kind === "enum") return { enum: type.names };
  if (type.kind === "ref") return { type: "integer", minimum: 0, maximum: type.count - 1 };
  if (type.kind === "date") return { type: "string", format: "date" };
  return { type: "string", maxLength: type.most };
}
