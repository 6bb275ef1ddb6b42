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
  const assemble = async (batch: readonly Said[]) => {
    const parts: LabelTree[] = batch.map(({ label }) => ({ label }));
    const labels = new Map([["append", { label: bottom, parts }]]);
    const value = { append: batch.map(toPage), capacity };
    const args = { value, labels: { label: bottom, parts: labels } };
    return take(await sys.call("memory.assemble", args), "memory");
  };
  return {
    add: (said) => {
      added.push(said);
    },
    prompt: async () => {
      const batches = batchesOf(added);
      added = [];
      for (const batch of batches.slice(0, -1)) await assemble(batch);
      const window = await assemble(batches.at(-1) ?? []);
      const messages = fieldOf(window.value, "messages") as unknown as readonly Message[];
      return { messages, label: wholeLabel(window.labels) };
    },
  };
}

/** Characters of JSON in one call, whose arguments have at most a MiB; six bytes each at worst. */
const BATCH = 170_000;

function batchesOf(added: readonly Said[]): readonly (readonly Said[])[] {
  const batches: Said[][] = [];
  let room = 0;
  for (const said of added) {
    const size = said.text.length + JSON.stringify(said.toolCalls ?? "").length;
    if (batches.length === 0 || size > room) {
      batches.push([]);
      room = BATCH;
    }
    batches.at(-1)?.push(said);
    room -= size;
  }
  return batches;
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
