/**
 * Mode "open": a plain tool loop. The model reads everything, foreign text included, so that every
 * call it makes has the label of all that it has in sight, and was decided by all that it ever saw,
 * and by itself. What the policy then allows to leave is what the user typed; the rest is asked or
 * denied.
 */
import type { ToolCall } from "../../llm/chat/conversation.ts";
import type { Outcome } from "../kernel/syscall.ts";
import { bottom, join, type Label } from "../security/label.ts";
import { type Labelled, labelled } from "../security/labelled.ts";
import { fieldOf } from "./agent-input.ts";
import {
  type AgentScene,
  createPatience,
  generate,
  labelOfWords,
  outOfSteps,
  roomForPrompt,
} from "./agent-scene.ts";
import { type AgentWindow, createWindow, labelOfOutcome } from "./agent-window.ts";
import { type PlannerTool, plannerTools, readToolCall, showOutcome } from "./planner-tools.ts";
import { sayFirst } from "./say-first.ts";

/** Characters of a result that the model reads: at least, and by its context's tokens. */
const LEAST_SHOWN = 600;
const MOST_SHOWN = 20_000;
/** Of one that memory distils and keeps whole: what cannot be in sight can be paged in. */
const MOST_KEPT = 100_000;

/** @throws NutshellError PROCESS when it comes to no end */
export async function runOpen(scene: AgentScene): Promise<Labelled> {
  const { sys, input, rows, contextLen } = scene;
  const tools = plannerTools(rows, input.tools, contextLen);
  const definitions = tools.map(({ definition }) => definition);
  const paged = rows.some(({ name }) => name === "memory.assemble");
  const window = createWindow(sys, paged, roomForPrompt(scene, definitions));
  const most = paged ? MOST_KEPT : mostShown(contextLen);
  const watch = createPatience();
  sayFirst(window, input);
  let pc = bottom;
  for (let step = 0; step < input.limits.steps; step++) {
    const { messages, label: inSight } = await window.prompt();
    const { message, label } = await generate(scene, messages, definitions, inSight);
    pc = join(pc, label);
    const { content, toolCalls = [] } = message;
    const calls = withIds(toolCalls, step);
    window.add({
      role: "assistant",
      text: content,
      label,
      ...(calls.length > 0 && { toolCalls: calls }),
    });
    if (calls.length === 0) return labelled(content, join(label, pc));
    for (const call of calls) {
      const asked = readToolCall(call, tools);
      if ("fault" in asked) answer(window, call, asked.fault, label);
      else {
        const { tool, args } = asked;
        const words = labelOfWords(tool.row, label, scene);
        const outcome = await sys.call(tool.row.name, labelled(args, words), pc);
        watch(outcome);
        const shown = showOutcome(outcome, tool, most);
        answer(window, call, shown, labelOfOutcome(outcome), tool, pagedIn(outcome, tool));
      }
    }
  }
  throw outOfSteps(input);
}

function answer(
  window: AgentWindow,
  { id: callId }: ToolCall,
  text: string,
  label: Label,
  tool?: PlannerTool,
  ref?: string,
): void {
  const title = tool?.row.name ?? "no call";
  window.add({ role: "tool", text, label, callId, title, ...(ref !== undefined && { ref }) });
}

/** The text that memory brought in: the answer is that text itself. */
function pagedIn(outcome: Outcome, { row }: PlannerTool): string | undefined {
  if (row.name !== "memory.page_in" || outcome.status !== "ok") return undefined;
  return fieldOf(outcome.value.value, "ref") as string;
}

/** Engines of small models give calls no id. */
function withIds(calls: readonly ToolCall[], step: number): ToolCall[] {
  return calls.map((call, i) => ({ ...call, id: call.id ?? `call-${step}-${i}` }));
}

function mostShown(contextLen: number): number {
  return Math.min(MOST_SHOWN, Math.max(LEAST_SHOWN, contextLen));
}
