/**
 * The gates that a call passes before its intent is journaled, in this order: the row exists, its
 * arguments fit, a capability covers it, the policy allows it, a person approves where the policy
 * asks. The last gate, stop and budget, is one with the intent's record (journal.ts).
 */

import type { Label } from "../../security/label.ts";
import type { Labelled } from "../../security/labelled.ts";
import type { Verdict } from "../../security/policy.ts";
import type { Flight, Running } from "../running.ts";
import type { KernelState } from "../state.ts";
import type { CallErrorCode, Syscall } from "../syscall.ts";

/** A call on its way. */
export interface Request {
  readonly state: KernelState;
  readonly running: Running;
  readonly call: number;
  readonly name: string;
  readonly row: Syscall;
  readonly args: Labelled;
  /** What decided that it is made: the program's word, and what decided that the process runs. */
  readonly pc: Label;
  /** All that chose the call and its arguments; what comes of it carries it. */
  readonly chosenBy: Label;
  readonly flight: Flight;
}

export interface Refusal {
  readonly code: CallErrorCode;
  /** One line, `rule, got values. hint`; no untrusted text in it. */
  readonly message: string;
  readonly verdict?: Verdict;
}

export interface Passed {
  readonly verdict: Verdict;
  /** Which rights it passed with. */
  readonly rights?: number;
  /** The approval that this call uses up. */
  readonly ticket?: number;
}

export function isRefusal(result: Refusal | Passed): result is Refusal {
  return "code" in result;
}
