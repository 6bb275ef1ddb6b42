/**
 * Skills: folders with a `SKILL.md`. A planner sees their names and descriptions; the body is read
 * when it is wanted, and so are files of `scripts`, `references` and `assets`. A skill that breaks
 * a rule is listed with its fault and is not offered.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { tryReadInner } from "./inner-file.node.ts";
import { isInnerPath } from "./manifest.ts";
import { readSkillFile } from "./skill-file.ts";

export interface Skill {
  readonly name: string;
  readonly description: string;
  /** Absent: it may be used. */
  readonly fault?: string;
}

const MAX_SKILLS = 200;
const MAX_SKILL_BYTES = 256 << 10;
const MAX_ATTACHED_BYTES = 1 << 20;

/** @param place a folder, and where in it skills are: `skills`, `.agents/skills` */
export async function listSkills([folder, below]: readonly [string, string]): Promise<Skill[]> {
  const entries = await readdir(join(folder, below), { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const skills: Skill[] = [];
  for (const name of names.sort().slice(0, MAX_SKILLS)) {
    const read = await tryReadSkill([folder, below], name);
    if (read === undefined) continue;
    if ("fault" in read) skills.push({ name, description: "", fault: read.fault });
    else skills.push({ name, description: read.description });
  }
  return skills;
}

async function tryReadSkill(
  [folder, below]: readonly [string, string],
  name: string,
): Promise<ReturnType<typeof readSkillFile> | undefined> {
  try {
    const text = await tryReadInner(join(folder, below), `${name}/SKILL.md`, MAX_SKILL_BYTES);
    return text === undefined ? undefined : readSkillFile(text, name);
  } catch (error) {
    return { fault: (error as Error).message };
  }
}

/**
 * @param file of the skill's folder; absent: what the skill says to do
 * @returns undefined when there is no such skill or file, or it may not be used
 */
export async function readSkill(
  place: readonly [string, string],
  name: string,
  file?: string,
): Promise<string | undefined> {
  if (!isInnerPath(name) || name.includes("/")) return undefined;
  const skill = await tryReadSkill(place, name);
  if (skill === undefined || "fault" in skill) return undefined;
  if (file === undefined) return skill.body;
  if (!isInnerPath(file) || !/^(scripts|references|assets)\//.test(file)) return undefined;
  return tryReadInner(join(...place, name), file, MAX_ATTACHED_BYTES);
}
