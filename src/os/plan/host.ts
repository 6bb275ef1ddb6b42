/**
 * What a plan runs against, and what becomes of it. The host makes the calls and judges them; the
 * evaluator promises that which calls are made, in which order, how often and with which arguments
 * depends on nothing that their labels and `pc` do not tell.
 */
import type { Label } from "../security/label.ts";
import type { Json, Labelled, LabelTree } from "../security/labelled.ts";
import type { TypedQuestion } from "./question.ts";

/** A call's outcome, of the kernel's shape: failures are values. */
export type PlanOutcome =
  | { readonly status: "ok"; readonly value: Labelled }
  | {
      readonly status: "error";
      readonly error: { readonly code: string; readonly message: string; readonly detail?: Json };
      readonly labels: LabelTree;
    }
  | { readonly status: "unknown"; readonly ticket: number; readonly labels: LabelTree };

export interface PlanHost {
  /**
   * @param name "device.method"
   * @param args as the plan gave them: usually an object; the host checks
   * @param pc what decided that this call is made
   */
  call(name: string, args: Labelled, pc: Label): Promise<PlanOutcome>;
  /** A value that is none of the question's type becomes an error in the plan. */
  ask(question: TypedQuestion, pc: Label): Promise<PlanOutcome>;
}

export interface PlanLimits {
  /** Expressions evaluated and elements walked over. */
  readonly steps: number;
  /** Bytes of all values that were ever made. */
  readonly bytes: number;
  /** Calls and questions. */
  readonly calls: number;
  /** Of nested expressions, functions and containers. */
  readonly depth: number;
}

/** What a plan starts from, beside its text. */
export interface PlanStart {
  /** Prefix of its questions' ids, so that bits of two runs are told apart. Default "plan". */
  readonly id?: string;
  /** Values of the names that the plan was parsed with. */
  readonly inputs?: ReadonlyMap<string, Labelled>;
  /** Label of literals: who wrote the plan. Default: the user, for anybody to see. */
  readonly literals?: Label;
  /** What decided that the plan runs at all. */
  readonly pc?: Label;
}

export type PlanResult = {
  readonly spent: PlanLimits;
  /** What decided how the plan ended; a further part of the plan starts under it. */
  readonly pc: Label;
} & (
  | {
      readonly status: "returned";
      readonly value: Labelled;
      /** The plan's outermost variables, for a further part; functions are left out. */
      readonly variables: ReadonlyMap<string, Labelled>;
    }
  | {
      readonly status: "stopped";
      readonly error: { readonly code: keyof PlanLimits; readonly message: string };
      /** That a limit was reached may tell of every value that the plan had seen. */
      readonly label: Label;
    }
);
