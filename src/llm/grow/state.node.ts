/**
 * `grow.json`: which stages are done, what they gave and how long they took over all starts. A
 * stage in the middle resumes from its own checkpoints; this file only says where to go on.
 */
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { diskError, replaceFile, tryReadText } from "../../durable-file.node.ts";
import { NutshellError } from "../../error.ts";
import { parseJson } from "../model/manifest.node.ts";
import type { StageName } from "../report/record.ts";

export type StepName = StageName | "eval";

export const stepNames: readonly StepName[] = ["pretrain", "sft", "reward", "rl", "eval"];

/** What is known of a step. */
export interface StepState {
  /** Over all starts. */
  readonly seconds: number;
  /** As the stage's command prints it; absent until it is done. */
  readonly result?: Readonly<Record<string, unknown>>;
}

/** What all stages follow from; a run keeps it. */
export interface Dials {
  readonly preset: string;
  readonly seed: number;
  readonly data?: string | undefined;
}

export interface GrowState extends Dials {
  /** ISO 8601, of the first start. */
  readonly startedAt: string;
  readonly steps: Partial<Record<StepName, StepState>>;
}

const FILE = "grow.json";
const FIX = "Delete it: every stage finds its own checkpoints again.";
/** What `writeReport` leaves. */
const REPORT = /^(report(-[a-z]+)?\.(md|html|json|svg)|record\.json)$/;

/** Each step's folder: numbered, so that a listing tells the story. */
export function folderOf(out: string, step: StepName): string {
  return join(out, `${stepNames.indexOf(step) + 1}-${step}`);
}

/** @returns what `out` holds, or a beginning  @throws CHECKPOINT when the file is not JSON */
export async function readState({ out, ...dials }: Dials & { out: string }): Promise<GrowState> {
  const { preset, seed, data } = dials;
  const fresh = { preset, seed, data, startedAt: new Date().toISOString(), steps: {} };
  const path = join(out, FILE);
  const text = await tryReadText(path);
  return text === undefined ? fresh : (parseJson(path, text, FIX) as GrowState);
}

/** @throws CONFIG: half of one run and half of another would be reported as one */
export function requireSameDials(found: GrowState, asked: Dials & { out: string }): void {
  const differs = (["preset", "seed", "data"] as const).find((key) => found[key] !== asked[key]);
  if (differs === undefined) return;
  const [before, got] = [found[differs], asked[differs]].map((value) => JSON.stringify(value));
  throw new NutshellError(
    "CONFIG",
    `grow: ${asked.out} must go on as it began, got ${differs} ${got ?? "built-in"} where it has ` +
      `${before ?? "built-in"}. Use the same, another --out, or --fresh to start over.`,
  );
}

/** @throws DISK */
export async function writeState(out: string, state: GrowState): Promise<void> {
  const path = join(out, FILE);
  try {
    await replaceFile(path, `${JSON.stringify(state, null, 2)}\n`);
  } catch (error) {
    throw diskError(path, error, "The stages' checkpoints are intact. Then start again.");
  }
}

/** Removes what was grown in `out`, and nothing else that may lie there. */
export async function removeGrown(out: string): Promise<void> {
  await removeFrom(out, "pretrain");
  await rm(join(out, FILE), { force: true });
}

/** Removes the folders of `from` and every step after it, and the report that they led to. */
export async function removeFrom(out: string, from: StepName): Promise<void> {
  for (const name of stepNames.slice(stepNames.indexOf(from)))
    await rm(folderOf(out, name), { recursive: true, force: true });
  const names = existsSync(out) ? await readdir(out) : [];
  for (const name of names) if (REPORT.test(name)) await rm(join(out, name));
}

/** Forgets `from` and every step after it. */
export function forgetFrom(state: GrowState, from: StepName): GrowState {
  const kept = stepNames.slice(0, stepNames.indexOf(from));
  const steps = Object.fromEntries(
    kept.flatMap((name) => (state.steps[name] ? [[name, state.steps[name]]] : [])),
  );
  return { ...state, steps };
}
