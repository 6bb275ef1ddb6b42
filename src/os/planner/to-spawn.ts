/**
 * From what a person asks for, and an app, to a process: the app's instructions are the owner's
 * configuration, what a workspace says of itself is foreign text unless its person trusts it, and
 * rights are what the app asks for within what the person hands over.
 */
import { inertLine } from "../../inert-text.ts";
import type { App } from "../apps/app.node.ts";
import { type Granted, grantTo } from "../apps/grant.ts";
import type { PlannerMode } from "../apps/manifest.ts";
import type { Skill } from "../apps/skills.node.ts";
import type { WorkspaceInstruction } from "../apps/workspace-instructions.node.ts";
import type { Budget, SpawnRequest } from "../kernel/process.ts";
import type { Syscall } from "../kernel/syscall.ts";
import { type Capability, covers } from "../security/capability.ts";
import { fromUser, type Label, labelOf } from "../security/label.ts";
import { type LabelledText, type Turn, toAgentInput, usualLimits } from "./agent-input.ts";

export interface AgentRequest {
  readonly goal: string;
  readonly owner: string;
  readonly app: App;
  /** Of the person, for this run. */
  readonly held: { readonly capabilities: readonly Capability[]; readonly budget?: Budget };
  /** Absent: the app's. */
  readonly mode?: PlannerMode;
  /** Absolute folder without links; absent: a private tree. */
  readonly workspace?: string;
  readonly workspaceInstructions?: readonly WorkspaceInstruction[];
  /** The person vouches for what the workspace says of itself. */
  readonly trustsWorkspace?: boolean;
  /** Beside the app's own, by where they are: `user`, `workspace`. */
  readonly skills?: Readonly<Record<string, readonly Skill[]>>;
  readonly before?: readonly { readonly role: Turn["role"]; readonly text: string }[];
}

export interface AgentSpawn {
  readonly spawn: SpawnRequest;
  /** Rights that the app asks for and that nobody handed over. */
  readonly refused: readonly Capability[];
}

/** @param rows of the whole syscall table */
export function toAgentSpawn(request: AgentRequest, rows: readonly Syscall[]): AgentSpawn {
  const { goal, owner, app, held, workspace, before = [] } = request;
  const granted = grantTo(app.manifest, held);
  const { model } = app.manifest;
  const input = toAgentInput({
    goal,
    mode: request.mode ?? app.manifest.mode,
    instructions: instructionsOf(request),
    before: before.map((turn) => ({ ...turn, label: labelOfTurn(turn.role, owner) })),
    tools: toolsOf(granted, rows),
    limits: usualLimits,
    ...(model === undefined ? {} : { model }),
  });
  const spawn: SpawnRequest = {
    program: "agent",
    input,
    owner,
    userTurn: goal,
    title: inertLine(goal.slice(0, 80)),
    capabilities: granted.capabilities,
    budget: granted.budget,
    ...(workspace === undefined ? {} : { fileTree: `host:${workspace}` }),
  };
  return { spawn, refused: granted.refused };
}

/** What an agent said before may have been said under anybody's influence. */
function labelOfTurn(role: Turn["role"], owner: string): Label {
  return role === "user" ? fromUser : labelOf("agent:before", new Set([owner]));
}

/** Calls that some right covers, for some arguments at least. */
function toolsOf({ capabilities }: Granted, rows: readonly Syscall[]): string[] {
  const patterns = capabilities.map(({ call }) => ({ call }));
  return rows.map(({ name }) => name).filter((name) => covers(patterns, name, {}, 0));
}

function instructionsOf(request: AgentRequest): LabelledText[] {
  const { app, owner, workspaceInstructions = [], trustsWorkspace = false } = request;
  const config = labelOf("config");
  const own = [{ text: app.instructions, label: config }];
  const listed = listOf(request);
  if (listed !== "") own.push({ text: listed, label: config });
  const given = workspaceInstructions.map(({ path, text }) => ({
    text: `Instructions of the workspace (${path}; of several the nearest to the work holds):\n${text}`,
    label: trustsWorkspace ? config : labelOf(`file:${path}`, new Set([owner])),
  }));
  return [...own, ...given];
}

/** Names and descriptions; the texts are read when they are wanted. */
function listOf({ app, skills = {}, trustsWorkspace = false }: AgentRequest): string {
  const { manifest, knowledge } = app;
  const trusted = Object.entries(skills).filter(
    ([source]) => source !== "workspace" || trustsWorkspace,
  );
  const all = [[manifest.name, app.skills] as const, ...trusted];
  const usable = all.flatMap(([source, list]) =>
    list
      .filter(({ fault }) => fault === undefined)
      .map(({ name, description }) => `- ${source}/${name}: ${description}`),
  );
  const files = knowledge.map(({ path, text }) => `- ${path} (${text.length} characters)`);
  return [
    ...(usable.length === 0
      ? []
      : ["Skills, to be read with apps.skill when they fit:", ...usable]),
    ...(files.length === 0
      ? []
      : [`Knowledge of the app ${manifest.name}, to be read with apps.read:`, ...files]),
  ].join("\n");
}
