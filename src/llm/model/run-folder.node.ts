/**
 * A run's folder: `step-00000100` and so on, each a checkpoint, complete by construction since it
 * got its name by a rename. A name that starts with `.torn-` is what a killed process left: it is
 * never read, and the next save clears it away.
 */
import { readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { NutshellError } from "../../error.ts";
import { verifyManifest } from "./manifest.node.ts";

const TORN = ".torn-";
const STEP_NAME = /^step-(\d{8,})(?:\.(\d+))?$/;

interface StepFolder {
  readonly name: string;
  readonly step: number;
  /** Saves of one step that came before: 0 for the first. */
  readonly copy: number;
}

async function entries(runFolder: string): Promise<string[]> {
  try {
    return await readdir(runFolder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Oldest first. */
async function stepFolders(runFolder: string): Promise<StepFolder[]> {
  const found = (await entries(runFolder)).flatMap((name) => {
    const match = STEP_NAME.exec(name);
    return match === null ? [] : [{ name, step: Number(match[1]), copy: Number(match[2] ?? 0) }];
  });
  return found.sort((a, b) => a.step - b.step || a.copy - b.copy);
}

/** Paths for the next save of `step`: a folder to fill, and the name it then takes. */
export async function placeForStep(
  runFolder: string,
  step: number,
): Promise<{ temporary: string; target: string }> {
  const same = (await stepFolders(runFolder)).filter((folder) => folder.step === step).at(-1);
  const suffix = same === undefined ? "" : `.${same.copy + 1}`;
  const name = `step-${String(step).padStart(8, "0")}${suffix}`;
  return {
    temporary: join(runFolder, `${TORN}${name}-${process.pid}`),
    target: join(runFolder, name),
  };
}

/** Removes what a killed process left half-written. */
export async function removeTorn(runFolder: string): Promise<void> {
  for (const name of await entries(runFolder))
    if (name.startsWith(TORN)) await rm(join(runFolder, name), { recursive: true, force: true });
}

/** Keeps the newest `keep` steps, and of one step only its last save. */
export async function removeOld(runFolder: string, keep: number): Promise<void> {
  const folders = await stepFolders(runFolder);
  const newest = [...new Map(folders.map((folder) => [folder.step, folder])).values()].slice(-keep);
  for (const folder of folders) {
    if (newest.includes(folder)) continue;
    // Renamed first: a kill during removal must not leave half a checkpoint under a good name.
    const doomed = join(runFolder, `${TORN}${folder.name}-removed`);
    await rename(join(runFolder, folder.name), doomed);
    await rm(doomed, { recursive: true, force: true });
  }
}

/** @returns the newest checkpoint's path, unchecked, or undefined when the run has none */
export async function latestCheckpoint(runFolder: string): Promise<string | undefined> {
  const last = (await stepFolders(runFolder)).at(-1);
  return last === undefined ? undefined : join(runFolder, last.name);
}

export interface GoodCheckpoint {
  /** Undefined when none is good. */
  readonly folder: string | undefined;
  /** Newer checkpoints that were refused, each with the one-line reason. */
  readonly skipped: readonly { readonly folder: string; readonly reason: string }[];
}

/** The newest checkpoint whose files all match their checksums; a caller shows what was skipped. */
export async function latestGoodCheckpoint(runFolder: string): Promise<GoodCheckpoint> {
  const skipped: { folder: string; reason: string }[] = [];
  for (const { name } of (await stepFolders(runFolder)).reverse()) {
    const folder = join(runFolder, name);
    const reason = await whyRefused(folder);
    if (reason === undefined) return { folder, skipped };
    skipped.push({ folder, reason });
  }
  return { folder: undefined, skipped };
}

async function whyRefused(folder: string): Promise<string | undefined> {
  try {
    const files = await verifyManifest(folder);
    return files === undefined ? `${folder}: manifest.json must exist, got none.` : undefined;
  } catch (error) {
    if (error instanceof NutshellError && error.code === "CHECKPOINT") return error.message;
    throw error;
  }
}

/**
 * @param path a checkpoint or model folder, or a run's folder
 * @returns the folder itself, or the run's newest checkpoint
 * @throws CHECKPOINT when it is neither
 */
export async function findCheckpoint(path: string): Promise<string> {
  const isModel = await stat(join(path, "config.json")).catch(() => undefined);
  const found = isModel === undefined ? await latestCheckpoint(path) : path;
  if (found !== undefined) return found;
  throw new NutshellError(
    "CHECKPOINT",
    `${path}: must hold config.json or step-… folders, got neither. ` +
      "Name a model folder or the folder of a run.",
  );
}
