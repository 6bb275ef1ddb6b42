/**
 * What an agent process starts from, as JSON with labels: it is stored with the process and read
 * again after a crash. Every text keeps the label of who wrote it: the goal is the user's where a
 * person gave it, and what shaped it where another process did.
 */
import { NutshellError } from "../../error.ts";
import type { PlannerMode } from "../apps/manifest.ts";
import { bottom, fromUser, joinAll, type Label, labelOf } from "../security/label.ts";
import {
  type Json,
  type Labelled,
  type LabelTree,
  partLabels,
  wholeLabel,
} from "../security/labelled.ts";

/** A text and who wrote it. */
export interface LabelledText {
  readonly text: string;
  readonly label: Label;
}

export interface Turn extends LabelledText {
  readonly role: "user" | "assistant";
}

export interface AgentInput {
  readonly goal: string;
  /** Who shaped the goal, and what was asked beside it. */
  readonly goalLabel: Label;
  readonly mode: PlannerMode;
  /** Of the app (configuration), then of the workspace, nearest last. */
  readonly instructions: readonly LabelledText[];
  /** What was said before, oldest first. */
  readonly before: readonly Turn[];
  /** Names of system calls that the model is offered. */
  readonly tools: readonly string[];
  /** Name of an engine; absent: the first. */
  readonly model?: string;
  readonly limits: AgentLimits;
}

export interface AgentLimits {
  /** Generations. */
  readonly steps: number;
  /** Of one reply. */
  readonly maxTokens: number;
  /** Plans after the first one that did not run. */
  readonly rewrites: number;
}

export const usualLimits: AgentLimits = { steps: 40, maxTokens: 1024, rewrites: 5 };

/** Of a person's own goal. */
export function toAgentInput(input: Omit<AgentInput, "goalLabel">): Labelled {
  const { goal, mode, instructions, before, tools, model, limits } = input;
  const value = {
    ...{ goal, mode, tools, limits: { ...limits } },
    instructions: instructions.map(({ text }) => text),
    before: before.map(({ role, text }) => ({ role, text })),
    ...(model === undefined ? {} : { model }),
  };
  const listed = (texts: readonly LabelledText[]): LabelTree => ({
    label: bottom,
    parts: texts.map(({ label }) => ({ label })),
  });
  const parts = new Map<string, LabelTree>([
    ["goal", { label: fromUser }],
    ["instructions", listed(instructions)],
    ["before", listed(before)],
  ]);
  for (const name of ["mode", "tools", "limits", "model"])
    parts.set(name, { label: labelOf("config") });
  return { value, labels: { label: bottom, parts } };
}

/** @throws NutshellError PROCESS for an input of another program */
export function fromAgentInput({ value, labels }: Labelled): AgentInput {
  const input = value as unknown as Omit<AgentInput, "goalLabel" | "instructions" | "before"> & {
    readonly instructions: readonly string[];
    readonly before: readonly { readonly role: Turn["role"]; readonly text: string }[];
  };
  if (typeof value !== "object" || value === null || typeof input.goal !== "string")
    throw new NutshellError("PROCESS", "agent: its input must have a goal, got none.");
  const labelAt = (list: string, i: number) => wholeLabel(partLabels(partLabels(labels, list), i));
  const instructions = input.instructions ?? [];
  const before = input.before ?? [];
  const asked = ["goal", "mode", "tools", "limits", "model"].map((name) => {
    return wholeLabel(partLabels(labels, name));
  });
  return {
    ...input,
    goalLabel: joinAll([fromUser, ...asked]),
    tools: input.tools ?? [],
    mode: input.mode ?? "open",
    limits: { ...usualLimits, ...input.limits },
    instructions: instructions.map((text, i) => ({ text, label: labelAt("instructions", i) })),
    before: before.map((turn, i) => ({ ...turn, label: labelAt("before", i) })),
  };
}

/** A field of a value that a driver made; the driver vouches for its form. */
export function fieldOf(value: Json, name: string): Json | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as { [key: string]: Json })[name] : undefined;
}
