/**
 * The tool `endorse` of mode "endorsed": the person reads one text and vouches for it, for instance
 * for the steps in a README that the goal says to follow. From then on the planner reads it, and it
 * counts as the user's word; who may see it does not change.
 */
import type { ToolDefinition } from "../../llm/inference/engine.ts";
import { join, type Label } from "../security/label.ts";
import { type Json, labelled, wholeLabel } from "../security/labelled.ts";
import { fieldOf } from "./agent-input.ts";
import type { HandlesRun, Shown } from "./handles-run.ts";
import { showValue } from "./planner-tools.ts";

const MOST_LENGTH = 10_000;

export const endorseTool: ToolDefinition = {
  name: "endorse",
  description:
    "Asks the person to read a handle's text and to vouch for it; then you may read and follow it.",
  parameters: {
    type: "object",
    properties: { handle: { type: "string", description: 'As in "$1.text".' } },
    required: ["handle"],
    additionalProperties: false,
  },
};

const CHOICES = ["I vouch for it", "no"];

export async function endorse(run: HandlesRun, json: string): Promise<Shown> {
  const fail = (rule: string): Shown => ({ text: `error: endorse ${rule}`, label: run.seen });
  const found = run.handles.find(readHandle(json));
  if (found === undefined) return fail("needs a handle that there is");
  const text = showValue(found.value);
  if (text.length > MOST_LENGTH) return fail("needs a shorter text: take a part of it");
  const label = wholeLabel(found.labels);
  const question = `The agent asks you to vouch for this text. It will follow it.\n\n${text}`;
  const args = labelled({ question, choices: CHOICES }, join(run.seen, label));
  const outcome = await run.scene.sys.call("human.ask", args, run.seen);
  if (outcome.status !== "ok" || outcome.value.value !== CHOICES[0])
    return { text: "no: the person does not vouch for it", label: run.seen };
  const vouched: Label = { ...label, integrity: new Set(["user"]), influence: new Map() };
  return { text: `${run.handles.add(labelled(found.value, vouched))}: ${text}`, label: vouched };
}

function readHandle(json: string): string {
  try {
    const handle = fieldOf(JSON.parse(json) as Json, "handle");
    return typeof handle === "string" ? handle : "";
  } catch {
    return "";
  }
}
