/**
 * An app: a folder with `app.json`, instructions, knowledge files and skills. Installed by a person,
 * so that its instructions are the owner's configuration; its knowledge is data like any file.
 */
import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { NutshellError } from "../../error.ts";
import { suggestName } from "../../nearest-name.ts";
import { tryReadInner } from "./inner-file.node.ts";
import { MAX_MANIFEST_BYTES, type Manifest, parseManifest } from "./manifest.ts";
import { listSkills, type Skill } from "./skills.node.ts";

export interface App {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly instructions: string;
  readonly knowledge: readonly KnowledgeFile[];
  readonly skills: readonly Skill[];
}

export interface KnowledgeFile {
  readonly path: string;
  readonly text: string;
}

const MAX_INSTRUCTIONS_BYTES = 256 << 10;
export const MAX_KNOWLEDGE_BYTES: number = 1 << 20;
const MAX_ALL_KNOWLEDGE = 8 << 20;

/** Those that come with the program. */
export const builtinFolder: string = join(import.meta.dirname, "builtin");

/**
 * @param calls names of all system calls
 * @throws NutshellError MANIFEST naming the file and the rule
 */
export async function loadApp(folder: string, calls: readonly string[]): Promise<App> {
  const where = join(folder, "app.json");
  const text = await tryReadInner(folder, "app.json", MAX_MANIFEST_BYTES);
  if (text === undefined) throw fault(where, "an app must have this file, got none");
  const manifest = parseManifest(text, where, calls);
  if (manifest.name !== basename(resolve(folder)))
    throw fault(where, `"name" must be the folder's, got ${manifest.name}`);
  const { instructions: path } = manifest;
  const instructions = await tryReadInner(folder, path, MAX_INSTRUCTIONS_BYTES);
  if (instructions === undefined) throw fault(where, '"instructions" must be a file that is there');
  const knowledge = await readKnowledge(folder, manifest, where);
  return {
    folder,
    manifest,
    instructions,
    knowledge,
    skills: await listSkills([folder, "skills"]),
  };
}

async function readKnowledge(
  folder: string,
  { knowledge }: Manifest,
  where: string,
): Promise<readonly KnowledgeFile[]> {
  const files: KnowledgeFile[] = [];
  let bytes = 0;
  for (const path of knowledge) {
    const text = await tryReadInner(folder, path, MAX_KNOWLEDGE_BYTES);
    if (text === undefined) throw fault(where, `"knowledge" must be there, got no ${path}`);
    bytes += Buffer.byteLength(text);
    if (bytes > MAX_ALL_KNOWLEDGE)
      throw fault(where, `"knowledge" must have ${MAX_ALL_KNOWLEDGE} bytes in all at most`);
    files.push({ path, text });
  }
  return files;
}

/** Folders of apps in some folders, by name; of two with one name the first. */
export async function findApps(places: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const place of places) {
    const entries = await readdir(place, { withFileTypes: true }).catch(() => []);
    for (const entry of entries)
      if (entry.isDirectory() && !found.has(entry.name))
        found.set(entry.name, join(place, entry.name));
  }
  return found;
}

/** @param name an installed app's, or a folder. @throws NutshellError MANIFEST */
export async function openApp(
  name: string,
  places: readonly string[],
  calls: readonly string[],
): Promise<App> {
  if (name.includes("/")) return loadApp(name, calls);
  const apps = await findApps(places);
  const folder = apps.get(name);
  if (folder !== undefined) return loadApp(folder, calls);
  throw fault(
    `app ${JSON.stringify(name)}`,
    `none has this name. ${suggestName(name, [...apps.keys()])}`,
  );
}

function fault(where: string, rule: string): NutshellError {
  return new NutshellError("MANIFEST", `${where}: ${rule}`);
}
