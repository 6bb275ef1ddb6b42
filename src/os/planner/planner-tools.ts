/**
 * System calls as a model sees them: tools with names that every provider takes. A model with a
 * small context gets the few that it was trained with, in the very words of its training; all
 * others get every call that the process was given.
 */
import type { ToolCall } from "../../llm/chat/conversation.ts";
import { calculator } from "../../llm/chat/tools/calculator.ts";
import { clock } from "../../llm/chat/tools/clock.ts";
import { evaluateExpression } from "../../llm/chat/tools/expression.ts";
import { renderRational } from "../../llm/chat/tools/rational.ts";
import { readFile } from "../../llm/chat/tools/read-file.ts";
import type { ToolDefinition } from "../../llm/inference/engine.ts";
import type { Outcome, Syscall } from "../kernel/syscall.ts";
import type { Json } from "../security/labelled.ts";
import { fieldOf } from "./agent-input.ts";

export interface PlannerTool {
  readonly definition: ToolDefinition;
  /** Of the system call. */
  readonly row: Syscall;
  readonly toArgs: (args: Json) => Json;
  readonly show: (value: Json) => string;
}

/** Of a model's context: one part in so many may be taken by descriptions of tools. */
const SHARE_OF_TOOLS = 2;
/** Tokens below which a model is taken for one of our own. */
const SMALL_CONTEXT = 4096;
const BYTES_A_TOKEN = 3;

const showField = (name: string) => (value: Json) => showValue(fieldOf(value, name) ?? value);
const asIs = (args: Json): Json => args;

// What our own models learned to call.
const trained: readonly (Omit<PlannerTool, "row"> & { readonly call: string })[] = [
  {
    definition: toDefinition(calculator),
    call: "calculator.evaluate",
    toArgs: asIs,
    show: (value) => renderRational(evaluateExpression(showValue(value))),
  },
  {
    definition: toDefinition(clock),
    call: "clock.now",
    toArgs: () => ({}),
    show: showField("text"),
  },
  {
    definition: toDefinition(readFile),
    call: "files.read",
    toArgs: (args) => ({ path: fieldOf(args, "name") ?? null }),
    show: showField("text"),
  },
];

function toDefinition(tool: ToolDefinition): ToolDefinition {
  const { name, description = "", parameters = {} } = tool;
  return { name, description, parameters };
}

/** Calls that planners make by themselves, and models do not choose. */
const innards = new Set(["llm.generate", "llm.ask", "memory.assemble", "human.tell"]);

/**
 * @param names of calls that the process was given
 * @param contextLen of the model, in tokens
 */
export function plannerTools(
  rows: readonly Syscall[],
  names: readonly string[],
  contextLen: number,
): readonly PlannerTool[] {
  const given = rows.filter(({ name }) => names.includes(name) && !innards.has(name));
  if (contextLen < SMALL_CONTEXT)
    return trained.flatMap((tool) => {
      const row = given.find(({ name }) => name === tool.call);
      return row === undefined ? [] : [{ ...tool, row }];
    });
  let room = (contextLen / SHARE_OF_TOOLS) * BYTES_A_TOKEN;
  return given.map(fromRow).filter(({ definition }) => {
    room -= JSON.stringify(definition).length + 1;
    return room >= 0;
  });
}

/** Of these results a model reads one field; the rest is for plans. */
const shownFields: Readonly<Record<string, string>> = { "files.read": "text", "clock.now": "text" };

/** Tokens, about; our own models know their tools without being told. */
export function tokensOfTools(tools: readonly ToolDefinition[], contextLen: number): number {
  if (contextLen < SMALL_CONTEXT) return 0;
  return Math.ceil(JSON.stringify(tools).length / BYTES_A_TOKEN);
}

function fromRow(row: Syscall): PlannerTool {
  const { name, doc, args } = row;
  const definition = { name: name.replaceAll(".", "_"), description: doc, parameters: args };
  const field = shownFields[name];
  const show = field === undefined ? showValue : showField(field);
  return { definition, row, toArgs: asIs, show };
}

export interface Asked {
  readonly tool: PlannerTool;
  readonly args: Json;
}

/** @returns the call that a model means, or what is wrong with it, in words for the model */
export function readToolCall(
  { name, arguments: text }: ToolCall,
  tools: readonly PlannerTool[],
): Asked | { readonly fault: string } {
  const tool = tools.find(({ definition }) => definition.name === name);
  if (tool === undefined) {
    const known = tools.map(({ definition }) => definition.name).join(", ");
    return { fault: `error: no such tool; tools: ${known}` };
  }
  const args = tryObject(text);
  if (args === undefined) return { fault: "error: arguments must be a JSON object" };
  return { tool, args: tool.toArgs(args) };
}

function tryObject(text: string): Json | undefined {
  try {
    const value = JSON.parse(text === "" ? "{}" : text) as Json;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function showValue(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What a model reads of an outcome. */
export function showOutcome(outcome: Outcome, { show }: PlannerTool, mostLength: number): string {
  const note = outcome.note === undefined ? "" : `\n(${outcome.note})`;
  if (outcome.status === "ok") return cut(show(outcome.value.value), mostLength) + note;
  if (outcome.status === "unknown")
    return `unknown: it may have happened; a person was asked (ticket ${outcome.ticket})${note}`;
  const { message, detail } = outcome.error;
  const said = detail === undefined ? "" : ` ${cut(showValue(detail), mostLength)}`;
  return `error: ${message}${said}${note}`;
}

/** Whole characters, and the length of what was cut is said. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const kept = [...text.slice(0, most + 1)].slice(0, -1).join("");
  return `${kept}… (cut: ${kept.length} of ${text.length} characters)`;
}
