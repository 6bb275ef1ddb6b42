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

export type Expression = Place &
  (
    | { readonly kind: "literal"; readonly value: Scalar }
    | { readonly kind: "variable"; readonly slot: number }
    | { readonly kind: "list"; readonly items: readonly Element[] }
    | { readonly kind: "record"; readonly entries: readonly Entry[] }
    | { readonly kind: "template"; readonly parts: readonly Expression[] }
    | { readonly kind: "unary"; readonly operator: UnaryOperator; readonly operand: Expression }
    | {
        readonly kind: "binary";
        readonly operator: string;
        readonly left: Expression;
        readonly right: Expression;
      }
    | {
        readonly kind: "logical";
        readonly operator: LogicalOperator;
        readonly left: Expression;
        readonly right: Expression;
      }
    | {
        readonly kind: "choose";
        readonly test: Expression;
        readonly then: Expression;
        readonly otherwise: Expression;
      }
    /** `object[key]`; optional: nothing read from nothing is nothing. */
    | {
        readonly kind: "read";
        readonly object: Expression;
        readonly key: string | Expression;
        readonly optional: boolean;
      }
    | {
        readonly kind: "method";
        readonly name: string;
        readonly object: Expression;
        readonly lambda?: Lambda;
        readonly args: readonly Element[];
        readonly optional: boolean;
      }
    /** "Math.max", "Number", "ok". */
    | { readonly kind: "builtin"; readonly name: string; readonly args: readonly Element[] }
    | { readonly kind: "apply"; readonly lambda: Lambda; readonly args: readonly Element[] }
    | {
        readonly kind: "let";
        readonly slot: number;
        readonly value: Expression;
        readonly body: Expression;
      }
  );

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

export type Statement =
  | { readonly kind: "assign"; readonly slot: number; readonly value: Expression }
  | {
      readonly kind: "call";
      readonly slot: number;
      readonly name: string;
      readonly args: Expression;
    }
  | ({
      readonly kind: "ask";
      readonly slot: number;
      readonly type: AnswerType;
      readonly choices?: Expression;
      readonly text: Expression;
      /** A list. */
      readonly about: Expression;
    } & Place)
  | {
      readonly kind: "if";
      readonly test: Expression;
      readonly then: readonly Statement[];
      readonly otherwise: readonly Statement[];
      readonly region: Region;
    }
  | {
      readonly kind: "for";
      readonly slot: number;
      readonly list: Expression;
      readonly body: readonly Statement[];
      readonly region: Region;
    }
  | { readonly kind: "return"; readonly value: Expression }
  | { readonly kind: "break" }
  | { readonly kind: "continue" };

export interface Plan {
  readonly body: readonly Statement[];
  readonly slots: number;
  /** Outermost variables that hold values, inputs first. */
  readonly names: ReadonlyMap<string, number>;
}
