/**
 * From what a person asks for to a process: the app is found and read, the workspace is looked at,
 * and the person's rights are what the app's are cut down to.
 */
import { readdir, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { NutshellError } from "../error.ts";
import { inertLine } from "../inert-text.ts";
import { builtinFolder, openApp } from "./apps/app.node.ts";
import type { AppPlaces } from "./apps/calls.ts";
import { listSkills } from "./apps/skills.node.ts";
import { readWorkspaceInstructions } from "./apps/workspace-instructions.node.ts";
import type { Budget, SpawnRequest } from "./kernel/process.ts";
import type { Syscall } from "./kernel/syscall.ts";
import { parsePlan } from "./plan/parse.ts";
import { type AgentSpawn, toAgentSpawn } from "./planner/to-spawn.ts";
import type { Capability } from "./security/capability.ts";
import { fromUser } from "./security/label.ts";
import { labelled } from "./security/labelled.ts";
import type { RunRequest } from "./system.ts";

const DEFAULT_APP = "assistant";
/** Children's calls included: what goes in circles or multiplies comes to an end. */
const usualBudget: Budget = { calls: 10_000 };

/** A person's own apps come before those that the program brings along. */
export function appPlaces(home: string): AppPlaces {
  return { apps: [join(home, "apps"), builtinFolder], home: homedir() };
}

/** @throws NutshellError MANIFEST, PLAN, USAGE */
export async function toSpawn(
  request: RunRequest,
  places: AppPlaces,
  rows: readonly Syscall[],
): Promise<AgentSpawn> {
  const workspace = await tryWorkspace(request.workspace);
  const { spawn, refused } =
    request.plan === undefined
      ? await agentSpawn(request, workspace, places, rows)
      : { spawn: planSpawn(request.plan, request.owner, workspace, rows), refused: [] };
  const { nice, deadline, interactive, approvals } = request;
  const budget = { ...usualBudget, ...spawn.budget, ...request.budget };
  const asked = { budget, nice, deadline, interactive, approvals };
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  return { spawn: { ...spawn, ...Object.fromEntries(given) }, refused };
}

/** A person may do what the system can. */
function ofPerson(rows: readonly Syscall[]): readonly Capability[] {
  const devices = new Set(rows.map(({ name }) => `${name.split(".")[0]}.*`));
  return [...devices].map((call) => ({ call }));
}

async function agentSpawn(
  request: RunRequest,
  workspace: string | undefined,
  places: AppPlaces,
  rows: readonly Syscall[],
): Promise<AgentSpawn> {
  const { goal = "", owner, mode, before, budget } = request;
  const calls = rows.map(({ name }) => name);
  const held = { capabilities: ofPerson(rows), ...(budget !== undefined && { budget }) };
  return toAgentSpawn(
    {
      ...{ goal, owner, held, skills: await skillsOf(places, workspace) },
      app: await openApp(request.app ?? DEFAULT_APP, places.apps, calls),
      ...(mode !== undefined && { mode }),
      ...(before !== undefined && { before }),
      ...(workspace !== undefined && {
        workspace,
        workspaceInstructions: await readWorkspaceInstructions(workspace),
      }),
    },
    rows,
  );
}

async function skillsOf({ home }: AppPlaces, workspace: string | undefined) {
  const below = ".agents/skills";
  const user = home === undefined ? [] : await listSkills([home, below]);
  return {
    user,
    ...(workspace !== undefined && { workspace: await listSkills([workspace, below]) }),
  };
}

/** What a plan says itself is its person's word; a plan is checked before there is a process. */
function planSpawn(
  plan: string,
  owner: string,
  workspace: string | undefined,
  rows: readonly Syscall[],
): SpawnRequest {
  parsePlan(plan, { calls: new Set(rows.map(({ name }) => name)) });
  return {
    ...{ program: "plan", owner, input: labelled({ plan }, fromUser), userTurn: plan },
    title: inertLine(plan.trim().split("\n")[0]?.slice(0, 80) ?? ""),
    capabilities: ofPerson(rows),
    ...(workspace !== undefined && { fileTree: `host:${workspace}` }),
  };
}

/** Links are followed once, here. @throws NutshellError USAGE */
async function tryWorkspace(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    await readdir(path);
    return await realpath(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const text = `run: --workspace must be a folder, got ${path} (${code}).`;
    throw new NutshellError("USAGE", text, { cause });
  }
}
