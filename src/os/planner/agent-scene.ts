/** What all modes of a planner work with, and how they ask their model. */
import { NutshellError } from "../../error.ts";
import type { AssistantMessage, Message } from "../../llm/chat/conversation.ts";
import type { ToolDefinition } from "../../llm/inference/engine.ts";
import type { Sys } from "../kernel/process.ts";
import type { Outcome, Syscall } from "../kernel/syscall.ts";
import { type Label, labelOf, type Source } from "../security/label.ts";
import { type Json, labelled, wholeLabel } from "../security/labelled.ts";
import { type AgentInput, fieldOf } from "./agent-input.ts";
import { take } from "./agent-window.ts";
import { tokensOfTools } from "./planner-tools.ts";

export interface AgentScene {
  readonly sys: Sys;
  readonly input: AgentInput;
  /** Rows of the calls that the process was given. */
  readonly rows: readonly Syscall[];
  /** Name of the planner's model. */
  readonly model: string;
  /** Of the model, in tokens. */
  readonly contextLen: number;
}

/** Outcomes with a note from the kernel (the same again) after which an agent gives up. */
const MAX_NOTES = 6;

export async function setScene(
  sys: Sys,
  input: AgentInput,
  all: readonly Syscall[],
): Promise<AgentScene> {
  const rows = all.filter(({ name }) => input.tools.includes(name));
  const models = take(await sys.call("llm.models", labelled({}, labelOf("config"))), "the models");
  const known = models.value as readonly { readonly name: string; readonly contextLen: number }[];
  const model =
    input.model === undefined ? known[0] : known.find(({ name }) => name === input.model);
  if (model === undefined)
    throw new NutshellError("PROCESS", "agent: its model must be one that is loaded, got another.");
  return { sys, input, rows, model: model.name, contextLen: model.contextLen };
}

/** Tokens that the messages of a prompt may have: the rest is for tools and the reply. */
export function roomForPrompt(
  { input, contextLen }: AgentScene,
  tools: readonly ToolDefinition[],
): number {
  const room = contextLen - replyTokens(input, contextLen) - tokensOfTools(tools, contextLen);
  return Math.max(1, room);
}

function replyTokens({ limits }: AgentInput, contextLen: number): number {
  return Math.min(limits.maxTokens, Math.floor(contextLen / 4));
}

export interface Reply {
  readonly message: AssistantMessage;
  /** Of what the model was shown, and of the model. */
  readonly label: Label;
}

/**
 * One reply.
 * @throws NutshellError PROCESS when no model answers, or the budget is used up
 */
export async function generate(
  { sys, input, contextLen }: AgentScene,
  messages: readonly Message[],
  tools: readonly ToolDefinition[],
  seen: Label,
): Promise<Reply> {
  const { model } = input;
  const args = {
    messages,
    maxTokens: replyTokens(input, contextLen),
    temperature: 0,
    ...(tools.length === 0 ? {} : { tools }),
    ...(model === undefined ? {} : { model }),
  };
  const outcome = await sys.call("llm.generate", labelled(args as unknown as Json, seen), seen);
  const { value, labels } = take(outcome, "the model");
  const message = fieldOf(value, "message") as unknown as AssistantMessage;
  return { message, label: wholeLabel(labels) };
}

/**
 * The label of a planner's own words in a call. What leaves, or cannot be undone, says that a model
 * chose it, so that a person sees that and nothing is done on a model's word alone. What stays in
 * the process's own reach and can be undone has the label of all that the planner was shown.
 */
export function labelOfWords(row: Syscall, said: Label, scene: AgentScene): Label {
  if (isLasting(row)) return said;
  const own: Source = `model:${scene.model}`;
  return { ...said, integrity: new Set([...said.integrity].filter((source) => source !== own)) };
}

/** What it does leaves the machine, or cannot be undone. */
export function isLasting({ access, effect }: Syscall): boolean {
  return access === "egress" || effect === "irreversible";
}

/** Counts what the kernel notes. @throws NutshellError PROCESS for a planner that takes no hint */
export function createPatience(): (outcome: Outcome) => void {
  let notes = 0;
  return ({ note }) => {
    if (note !== undefined) notes++;
    if (notes >= MAX_NOTES)
      throw new NutshellError("PROCESS", `agent: it must not go in circles, got ${note}.`);
  };
}

export function outOfSteps({ limits }: AgentInput): NutshellError {
  return new NutshellError(
    "PROCESS",
    `agent: it must end within ${limits.steps} replies of its model, and did not. ` +
      "Ask for less at once, or raise the limit.",
  );
}
