/**
 * What an app and a workspace bring along, as calls: knowledge, skills, instructions. An installed
 * skill is its person's configuration; knowledge is data, and what a workspace offers is foreign.
 */
import { DeviceError } from "../kernel/device-error.ts";
import type { CallContext, CallResult, Syscall } from "../kernel/syscall.ts";
import { type Label, labelOf } from "../security/label.ts";
import { findApps, MAX_KNOWLEDGE_BYTES } from "./app.node.ts";
import { tryReadInner } from "./inner-file.node.ts";
import { isInnerPath } from "./manifest.ts";
import { readSkill } from "./skills.node.ts";
import { readWorkspaceInstructions } from "./workspace-instructions.node.ts";

export interface AppPlaces {
  /** Folders that hold apps. */
  readonly apps: readonly string[];
  /** The person's own folder, where `.agents/skills` may be; absent: none. */
  readonly home?: string;
}

const text = { type: "string", minLength: 1, maxLength: 1024 };

function schema(properties: Record<string, unknown>, required: readonly string[]): Syscall["args"] {
  return { type: "object", properties, required, additionalProperties: false };
}

export function createAppCalls(places: AppPlaces): readonly Syscall[] {
  const reads = { effect: "idempotent", access: "read", sinks: {} } as const;
  return [
    {
      ...reads,
      name: "apps.read",
      doc: "The text of one of the app's knowledge files.",
      args: schema({ app: text, path: text }, ["app", "path"]),
      run: async ({ value }, context) =>
        readKnowledge(places, value as unknown as KnowledgeArgs, context),
    },
    {
      ...reads,
      name: "apps.skill",
      doc: "What a skill says to do, or one of its files; names as listed, as in app/NAME.",
      args: schema({ skill: text, file: text }, ["skill"]),
      run: async ({ value }, context) => showSkill(places, value as unknown as SkillArgs, context),
    },
    {
      ...reads,
      name: "apps.instructions",
      doc: "What the workspace says to whoever works on a path, the nearest last, which holds.",
      args: schema({ path: text }, ["path"]),
      run: async ({ value }, context) =>
        showInstructions((value as { readonly path: string }).path, context),
    },
  ];
}

interface KnowledgeArgs {
  readonly app: string;
  readonly path: string;
}

async function readKnowledge(
  places: AppPlaces,
  { app, path }: KnowledgeArgs,
  { owner }: CallContext,
): Promise<CallResult> {
  const folder = (await findApps(places.apps)).get(app);
  const inner = folder !== undefined && isInnerPath(path) ? folder : undefined;
  const found = inner && (await tryReadInner(inner, path, MAX_KNOWLEDGE_BYTES));
  if (found === undefined)
    throw new DeviceError("apps.read: it must be one of the app's files, got none.");
  const label = labelOf(`file:${app}/${path}`, new Set([owner]));
  return { value: found, labels: { label } };
}

interface SkillArgs {
  readonly skill: string;
  readonly file?: string;
}

async function showSkill(
  places: AppPlaces,
  { skill, file }: SkillArgs,
  context: CallContext,
): Promise<CallResult> {
  const [source = "", name = ""] = skill.split("/");
  const found = await placeOf(places, source, context);
  const body = found && (await readSkill(found.place, name, file));
  if (found === undefined || body === undefined)
    throw new DeviceError("apps.skill: it must be a skill of the list, got another.");
  return { value: body, labels: { label: found.label } };
}

async function showInstructions(
  path: string,
  { fileTree, owner }: CallContext,
): Promise<CallResult> {
  const root = hostFolder(fileTree);
  const found = root === undefined ? [] : await readWorkspaceInstructions(root, path);
  const readers = new Set([owner]);
  const parts = found.map((one) => ({ label: labelOf(`file:${one.path}`, readers) }));
  const label = labelOf("file:AGENTS.md", readers); // Whether there are some at all.
  return { value: found.map((one) => ({ ...one })), labels: { label, parts } };
}

/** Of a tree that is a folder of this machine. */
function hostFolder(fileTree: string): string | undefined {
  return fileTree.startsWith("host:") ? fileTree.slice("host:".length) : undefined;
}

/** @param source "user", "workspace", or an app's name */
async function placeOf(
  { apps, home }: AppPlaces,
  source: string,
  { fileTree, owner }: CallContext,
): Promise<{ place: readonly [string, string]; label: Label } | undefined> {
  const configured = labelOf("config");
  if (source === "user")
    return home === undefined ? undefined : { place: [home, ".agents/skills"], label: configured };
  if (source !== "workspace") {
    const folder = (await findApps(apps)).get(source);
    return folder === undefined ? undefined : { place: [folder, "skills"], label: configured };
  }
  const root = hostFolder(fileTree);
  if (root === undefined) return undefined;
  const label = labelOf("file:.agents/skills", new Set([owner]));
  return { place: [root, ".agents/skills"], label };
}
