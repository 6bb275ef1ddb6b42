/**
 * Outcomes as the journal keeps them, and back. What a process gets is always read from the text
 * that was journaled, so that a first run and a replay see the same.
 */
import { type Label, labelOf } from "../security/label.ts";
import { fromLabelTreeJson, toLabelTreeJson } from "../security/label-json.ts";
import { type Json, type LabelTree, raise } from "../security/labelled.ts";
import type { ResultBody } from "./kernel.ts";
import type { CallError, CallErrorCode, CallResult, Cost, Outcome } from "./syscall.ts";

/** Of one call: sums of it stay far below what eight bytes hold. */
const MOST = 2 ** 50;

/** What a driver made of a call. */
export interface Performed {
  readonly outcome: Outcome;
  /** What it really cost, as far as the driver says. */
  readonly cost: Cost;
}

/** What a table's row, a driver or a provider says, as the table of processes can count it. */
export function countable(cost: Cost = {}): Cost {
  const given = Object.entries(cost).filter(([, amount]) => amount !== undefined);
  // NaN counts as nothing, and nothing gives a process more than it had.
  const whole = (amount: number): number => Math.min(Math.max(Math.ceil(amount) || 0, 0), MOST);
  return Object.fromEntries(given.map(([name, amount]) => [name, whole(amount)]));
}

export function toResultBody(outcome: Outcome, ms: number, cost?: Cost): ResultBody {
  const { note } = outcome;
  const labels = outcome.status === "ok" ? outcome.value.labels : outcome.labels;
  return {
    status: outcome.status,
    labels: toLabelTreeJson(labels),
    ms,
    ...(outcome.status === "ok" && { value: outcome.value.value }),
    ...(outcome.status === "error" && { error: { ...outcome.error } }),
    ...(outcome.status === "unknown" && { ticket: outcome.ticket }),
    ...(cost !== undefined && { cost }),
    ...(note !== undefined && { note }),
  };
}

export function fromResultBody(body: ResultBody): Outcome {
  const labels = fromLabelTreeJson(body.labels);
  const note = body.note === undefined ? {} : { note: body.note };
  if (body.status === "ok") {
    return { status: "ok", value: { value: body.value ?? null, labels }, ...note };
  }
  if (body.status === "unknown") {
    return { status: "unknown", ticket: body.ticket as number, labels, ...note };
  }
  return { status: "error", error: body.error as unknown as CallError, labels, ...note };
}

/** @param message one line, `where: rule, got values. hint`; no untrusted text in it */
export function failure(
  code: CallErrorCode,
  message: string,
  labels: LabelTree,
  detail?: Json,
): Outcome {
  const error = { code, message, ...(detail !== undefined && { detail }) };
  return { status: "error", error, labels };
}

/** What came of a call carries what the driver says of it, and all that chose the call. */
export function resultLabels(
  name: string,
  owner: string,
  labels: CallResult["labels"],
  chosenBy: Label,
): LabelTree {
  return raise(labels ?? { label: labelOf(`tool:${name}`, new Set([owner])) }, chosenBy);
}
