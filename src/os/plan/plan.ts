/**
 * A parsed plan: a small tree of our own, made by `parse.ts`, run by `run.ts`. Names are resolved to
 * slots, so that no name is looked up at run time; effects (calls and questions) stand in statements
 * only, expressions are pure. What each region writes and how it may be left is known beforehand:
 * labels must rise for the arm that was not taken too.
 */
import type { AnswerType } from "./question.ts";

export type Scalar = null | undefined | boolean | number | string;

/** Line from 1, column from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export type UnaryOperator = "-" | "+" | "!" | "typeof";
export type LogicalOperator = "&&" | "||" | "??";

/** A function is no value: it is called where it stands, or by its constant name. */
export interface Lambda {
  readonly parameters: readonly number[];
  readonly body: Expression;
}

type Row<Kind extends string, Fields = unknown> = Readonly<{ kind: Kind } & Fields>;

/** Without its place. */
export type Bare =
  | Row<"literal", { value: Scalar }>
  | Row<"variable", { slot: number }>
  | Row<"list", { items: readonly Element[] }>
  | Row<"record", { entries: readonly Entry[] }>
  | Row<"template", { parts: readonly Expression[] }>
  | Row<"unary", { operator: UnaryOperator; operand: Expression }>
  | Row<"binary", { operator: string; left: Expression; right: Expression }>
  | Row<"logical", { operator: LogicalOperator; left: Expression; right: Expression }>
  | Row<"choose", { test: Expression; then: Expression; otherwise: Expression }>
  /** `object[key]`; optional: nothing read from nothing is nothing. */
  | Row<"read", { object: Expression; key: string | Expression; optional: boolean }>
  | Row<"method", Method>
  /** "Math.max", "Number", "ok". */
  | Row<"builtin", { name: string; args: readonly Element[] }>
  | Row<"apply", { lambda: Lambda; args: readonly Element[] }>
  | Row<"let", { slot: number; value: Expression; body: Expression }>;

export type Expression = Place & Bare;

interface Method {
  name: string;
  object: Expression;
  lambda?: Lambda;
  args: readonly Element[];
  optional: boolean;
}

export interface Element {
  readonly spread: boolean;
  readonly value: Expression;
}

/** Absent key: `...value`. A key that the text says itself is a string. */
export interface Entry {
  readonly key?: string | Expression;
  readonly value: Expression;
}

/** What may happen within a region, whether or not it does. */
export interface Region {
  readonly writes: ReadonlySet<number>;
  /** It may leave the loop around it, or this turn of it. */
  readonly breaks: boolean;
  readonly returns: boolean;
}

type Block = readonly Statement[];

export type Statement =
  | Row<"assign", { slot: number; value: Expression }>
  | (Effect & Place & { readonly slot: number })
  | Row<"if", { test: Expression; then: Block; otherwise: Block; region: Region }>
  | Row<"for", { slot: number; list: Expression; body: Block; region: Region }>
  | Row<"return", { value: Expression }>
  | Row<"break">
  | Row<"continue">;

/** `about` is a list. */
export type Effect =
  | Row<"call", { name: string; args: Expression }>
  | Row<"ask", { type: AnswerType; choices?: Expression; text: Expression; about: Expression }>;

export interface Plan {
  readonly body: readonly Statement[];
  readonly slots: number;
  /** Outermost variables that hold values, inputs first. */
  readonly names: ReadonlyMap<string, number>;
}
