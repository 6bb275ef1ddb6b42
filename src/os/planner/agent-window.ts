/**
 * The context of an agent: what was said goes in with its label, messages and the label of all that
 * is in sight come out. Where the process has memory, pages come and go by `memory.assemble`; else
 * the oldest exchanges after the goal are left out when the context is full.
 */
import { NutshellError } from "../../error.ts";
import type { Message, ToolCall } from "../../llm/chat/conversation.ts";
import type { Sys } from "../kernel/process.ts";
import type { Outcome } from "../kernel/syscall.ts";
import { bottom, isTrusted, joinAll, type Label } from "../security/label.ts";
import { type Json, type LabelTree, wholeLabel } from "../security/labelled.ts";
import { fieldOf } from "./agent-input.ts";

export interface Said {
  readonly role: Message["role"];
  readonly text: string;
  readonly label: Label;
  readonly toolCalls?: readonly ToolCall[];
  /** Of a result: the call that it answers, and the call's name. */
  readonly callId?: string | undefined;
  readonly title?: string;
  /** Of a text that memory brought in: it stands here once, not twice. */
  readonly ref?: string;
  /** Stays as it is, whatever else has to leave. */
  readonly pinned?: boolean;
}

export interface AgentWindow {
  add(said: Said): void;
  prompt(): Promise<{ readonly messages: readonly Message[]; readonly label: Label }>;
}

export function createWindow(sys: Sys, paged: boolean, capacity: number): AgentWindow {
  return paged ? pagedWindow(sys, capacity) : plainWindow(capacity);
}

const BYTES_A_TOKEN = 3;

function plainWindow(capacity: number): AgentWindow {
  let kept: Said[] = [];
  return {
    add: (said) => {
      kept.push(said);
    },
    prompt: async () => {
      kept = fitting(kept, capacity * BYTES_A_TOKEN);
      const label = joinAll(kept.map((said) => said.label));
      return { messages: kept.map(toMessage), label };
    },
  };
}

/** Leaves out whole exchanges: a call goes with its results. */
function fitting(all: readonly Said[], mostBytes: number): Said[] {
  const bytes = (said: Said) => said.text.length + JSON.stringify(said.toolCalls ?? "").length + 16;
  const kept = [...all];
  const goal = Math.max(
    0,
    kept.findIndex(({ role }) => role === "assistant"),
  );
  while (kept.reduce((sum, said) => sum + bytes(said), 0) > mostBytes) {
    const next = kept.findIndex(({ role }, i) => i > goal && role === "assistant");
    if (next < 0 || goal === 0) break;
    kept.splice(goal, next - goal);
  }
  return kept;
}

function toMessage({ role, text, label, toolCalls, callId }: Said): Message {
  if (role === "assistant")
    return { role, content: text, ...(toolCalls === undefined ? {} : { toolCalls }) };
  if (role === "tool") return { role, content: text, ...(callId === undefined ? {} : { callId }) };
  // A system message has authority: foreign text never stands in one.
  return { role: role === "system" && isTrusted(label) ? "system" : "user", content: text };
}

function pagedWindow(sys: Sys, capacity: number): AgentWindow {
  let added: Said[] = [];
  return {
    add: (said) => {
      added.push(said);
    },
    prompt: async () => {
      const parts: LabelTree[] = added.map(({ label }) => ({ label }));
      const append = added.map(toPage);
      added = [];
      const labels = new Map([["append", { label: bottom, parts }]]);
      const args = { value: { append, capacity }, labels: { label: bottom, parts: labels } };
      const window = take(await sys.call("memory.assemble", args), "memory");
      const messages = fieldOf(window.value, "messages") as unknown as readonly Message[];
      return { messages, label: wholeLabel(window.labels) };
    },
  };
}

function toPage({ role, text, label, toolCalls, callId, title, ref, pinned }: Said): Json {
  if (ref !== undefined && callId !== undefined) return { kind: "retrieved", role, ref, callId };
  const system = role === "system" && isTrusted(label);
  const kinds = {
    system: "retrieved",
    user: "dialogue",
    assistant: "dialogue",
    tool: "tool-output",
  };
  return {
    kind: system ? "instruction" : kinds[role],
    role: role === "system" && !system ? "user" : role,
    text,
    ...(toolCalls === undefined ? {} : { toolCalls: toolCalls.map((call) => ({ ...call })) }),
    ...(callId === undefined ? {} : { callId }),
    ...(title === undefined ? {} : { title }),
    ...(pinned === undefined ? {} : { pinned }),
  };
}

/** What the planner cannot go on without. @throws NutshellError PROCESS, the process's exit */
export function take(
  outcome: Outcome,
  what: string,
): { readonly value: Json; readonly labels: LabelTree } {
  if (outcome.status === "ok") return outcome.value;
  const got = outcome.status === "error" ? outcome.error : undefined;
  const said = got === undefined ? "an unknown outcome" : `${got.code}: ${got.message}`;
  throw new NutshellError("PROCESS", `agent: ${what} must answer, got ${said}`);
}

/** Of what a call was told and what came back: the outcome's own word for it. */
export function labelOfOutcome(outcome: Outcome): Label {
  return wholeLabel(outcome.status === "ok" ? outcome.value.labels : outcome.labels);
}
