/**
 * Mode "handles": the planner never reads foreign text. What a call brings back it sees in full only
 * if nobody but the user and the owner shaped it; else as a handle, `$1`, with its type. Handles go
 * into further calls and into the answer as they are. What the planner must know to go on it learns
 * by typed questions to a quarantined model; each answer that it sees adds its bits to the influence
 * that the policy counts. Mode "endorsed" adds one way: the person reads a text and vouches for it.
 */
import type { ToolCall } from "../../llm/chat/conversation.ts";
import type { Outcome } from "../kernel/syscall.ts";
import { isTrusted, join, type Label, labelOf } from "../security/label.ts";
import { type Labelled, wholeLabel } from "../security/labelled.ts";
import {
  type AgentScene,
  createPatience,
  generate,
  labelOfWords,
  outOfSteps,
  roomForPrompt,
} from "./agent-scene.ts";
import { createWindow, labelOfOutcome } from "./agent-window.ts";
import { endorse, endorseTool } from "./endorse.ts";
import { createHandles } from "./handle-table.ts";
import { type HandlesRun, keep, type Shown } from "./handles-run.ts";
import { type PlannerTool, plannerTools, readToolCall, showOutcome } from "./planner-tools.ts";
import { ask, askTool } from "./quarantined-question.ts";
import { sayFirst } from "./say-first.ts";

const RULES = `Results that others had a hand in are not shown to you: you get a handle such as $1, whether
the call went well or not. Write "$1" as an argument, or a part of it such as "$1.text" or
"$1.matches[0]", to pass it on, and {{$1}} within a longer text, also within your answer. Use the tool
ask to learn something about a handle; only short answers can be shown.`;

const MOST_SHOWN = 20_000;

export async function runHandles(scene: AgentScene, endorses: boolean): Promise<Labelled> {
  const { input, rows, contextLen } = scene;
  const tools = plannerTools(rows, input.tools, contextLen);
  const extra = [askTool, ...(endorses ? [endorseTool] : [])];
  const definitions = [...tools.map(({ definition }) => definition), ...extra];
  const window = createWindow(scene.sys, false, roomForPrompt(scene, definitions));
  const watch = createPatience();
  const rules = { role: "system" as const, text: RULES, label: labelOf("config") };
  window.add(rules);
  const { instructions, before } = input;
  const heard = { instructions: instructions.filter(isOwn), before: before.filter(isOwn) };
  sayFirst(window, { ...input, ...heard });
  const run: HandlesRun = { scene, endorses, handles: createHandles(), seen: rules.label, told: 0 };
  for (let step = 0; step < input.limits.steps; step++) {
    const { messages, label } = await window.prompt();
    run.seen = join(run.seen, label);
    const { message, label: own } = await generate(scene, messages, definitions, run.seen);
    run.seen = join(run.seen, own);
    const { content, toolCalls = [] } = message;
    const calls = toolCalls.map((call, i) => ({ ...call, id: call.id ?? `call-${step}-${i}` }));
    const said = { role: "assistant" as const, text: content, label: run.seen };
    window.add(calls.length === 0 ? said : { ...said, toolCalls: calls });
    if (calls.length === 0) return run.handles.fill(content, run.seen);
    for (const call of calls) {
      const { text, label: told } = await perform(run, call, tools, watch);
      window.add({ role: "tool", text, label: told, callId: call.id, title: call.name });
    }
  }
  throw outOfSteps(input);
}

/** Nobody but the user, the owner and models shaped it: a planner may read its own words again. */
function isOfModels({ integrity }: Label): boolean {
  return [...integrity].every((source) => /^(?:user$|config$|model:)/.test(source));
}

/** What others had a hand in is not shown, who said it before included. */
function isOwn({ label }: { readonly label: Label }): boolean {
  return isTrusted(label);
}

async function perform(
  run: HandlesRun,
  call: ToolCall,
  tools: readonly PlannerTool[],
  watch: ReturnType<typeof createPatience>,
): Promise<Shown> {
  if (call.name === askTool.name) return ask(run, call.arguments);
  if (run.endorses && call.name === endorseTool.name) return endorse(run, call.arguments);
  const asked = readToolCall(call, tools);
  if ("fault" in asked) return { text: asked.fault, label: run.seen };
  const { scene, seen } = run;
  const args = run.handles.resolve(asked.args, labelOfWords(asked.tool.row, seen, scene));
  const outcome = await scene.sys.call(asked.tool.row.name, args, seen);
  watch(outcome);
  const label = labelOfOutcome(outcome);
  if (isOfModels(label)) return { text: showOutcome(outcome, asked.tool, MOST_SHOWN), label };
  return keep(run, toValue(outcome));
}

/** A failure is a value like others: that it failed would already tell of what was read. */
function toValue(outcome: Outcome): Labelled {
  if (outcome.status === "ok") return outcome.value;
  const failure = outcome.status === "error" ? { ...outcome.error } : { ticket: outcome.ticket };
  return { value: { failure }, labels: { label: wholeLabel(outcome.labels) } };
}
