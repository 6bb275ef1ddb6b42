/** The plan evaluator's host over system calls: what a plan may do is what its process may. */
import type { Sys } from "../kernel/process.ts";
import type { PlanHost } from "../plan/host.ts";
import type { TypedQuestion } from "../plan/question.ts";
import { bottom } from "../security/label.ts";
import type { Json, LabelTree } from "../security/labelled.ts";

/** @param model answers typed questions; absent: the quarantined one */
export function createPlanHost(sys: Sys, model?: string): PlanHost {
  return {
    call: (name, args, pc) => sys.call(name, args, pc),
    ask: (question, pc) => sys.call("llm.ask", toArgs(question, model), pc),
  };
}

function toArgs(
  { id, type, text, about, choices }: TypedQuestion,
  model: string | undefined,
): { value: Json; labels: LabelTree } {
  const value = {
    ...{ id, type: type as unknown as Json, text: text.value, about: about.value },
    ...(choices === undefined ? {} : { choices: choices.value }),
    ...(model === undefined ? {} : { model }),
  };
  const parts = new Map([
    ["text", text.labels],
    ["about", about.labels],
  ]);
  if (choices !== undefined) parts.set("choices", choices.labels);
  return { value, labels: { label: bottom, parts } };
}
