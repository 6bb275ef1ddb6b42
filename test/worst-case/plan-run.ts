/**
 * One plan, run by the product's evaluator against the gates: calls go to a world, questions to
 * whoever plays the quarantined model.
 */

import type { PlanHost, PlanOutcome, PlanResult } from "../../src/os/plan/host.ts";
import type { Plan } from "../../src/os/plan/plan.ts";
import type { AnswerType } from "../../src/os/plan/question.ts";
import { runPlan } from "../../src/os/plan/run.ts";
import { type Label, labelOf } from "../../src/os/security/label.ts";
import type { Json, LabelTree } from "../../src/os/security/labelled.ts";
import { raise, wholeLabel } from "../../src/os/security/labelled.ts";
import type { Gate } from "./gate.ts";
import { fromPlanName } from "./plan-names.ts";

/** What the quarantined model says; undefined: it fails. */
export type Answerer = (question: string, type: AnswerType) => Json | undefined;

/** The sealed planner is trusted by default; "model:planner": it is not. */
export function runOraclePlan(
  plan: Plan,
  gate: Gate,
  answer: Answerer,
  literals?: Label,
): Promise<PlanResult> {
  const host: PlanHost = {
    call(name, args, pc) {
      const outcome = gate.call(fromPlanName(name), args, pc);
      if (outcome.status === "ok") return Promise.resolve(outcome);
      const labels = raise(args.labels, pc);
      const error = { code: outcome.code, message: `${name}: refused.` };
      return Promise.resolve({ status: "error", error, labels });
    },
    ask(question, pc) {
      const value = answer(String(question.text.value), question.type);
      const about = raise(raise(question.about.labels, wholeLabel(question.text.labels)), pc);
      return Promise.resolve(answered(value, about));
    },
  };
  const start = literals === undefined ? {} : { literals, pc: literals };
  return runPlan(plan, host, undefined, start);
}

export const UNTRUSTED_PLANNER: Label = labelOf("model:planner");

function answered(value: Json | undefined, about: LabelTree): PlanOutcome {
  if (value !== undefined) return { status: "ok", value: { value, labels: about } };
  const error = { code: "DEVICE", message: "q: the model does not know." };
  return { status: "error", error, labels: about };
}
