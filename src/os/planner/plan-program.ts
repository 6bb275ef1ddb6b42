/**
 * Program "plan": runs the text of a plan as it stands. Input `{ plan }`; the literals have the
 * label of the text, and the text decided each of its calls. What the plan returns is what the
 * process returns.
 */
import { NutshellError } from "../../error.ts";
import type { Program } from "../kernel/process.ts";
import type { Syscall } from "../kernel/syscall.ts";
import { parsePlan } from "../plan/parse.ts";
import { runPlan } from "../plan/run.ts";
import { partLabels, wholeLabel } from "../security/labelled.ts";
import { fieldOf } from "./agent-input.ts";
import { createPlanHost } from "./plan-host.ts";

export function createPlanProgram(rows: readonly Syscall[]): Program {
  const calls = new Set(rows.map(({ name }) => name));
  return async (sys) => {
    const text = fieldOf(sys.input.value, "plan");
    if (typeof text !== "string")
      throw new NutshellError("PLAN", "plan 1:1: its input must have a text, got none.");
    const literals = wholeLabel(partLabels(sys.input.labels, "plan"));
    const plan = parsePlan(text, { calls });
    const result = await runPlan(
      plan,
      createPlanHost(sys),
      {},
      { id: `plan:${sys.pid}`, literals, pc: literals },
    );
    if (result.status === "returned") return result.value;
    throw new NutshellError("PLAN", `${result.error.message}.`);
  };
}
