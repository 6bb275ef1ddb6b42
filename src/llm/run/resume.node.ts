/**
 * Where a run stands on disk: finds its last good checkpoint and refuses to go on with another
 * configuration or other text, since the result would be neither run.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { NutshellError } from "../../error.ts";
import type { RunTokenizer } from "../data/prepare/learn-tokenizer.node.ts";
import { type Checkpoint, loadCheckpoint } from "../model/checkpoint.node.ts";
import { latestGoodCheckpoint } from "../model/run-folder.node.ts";
import { fromTokenizerJson } from "../tokenizer/tokenizer-json.ts";
import type { SpikeState } from "./spike-guard.ts";
import type { Talk } from "./talk.ts";

/** What a checkpoint keeps beside weights and optimizer state; a stage may add to it. */
export interface DataState {
  readonly dataHash: string;
  readonly tokenizerHash: string;
  readonly commit: string | undefined;
  readonly spikes: SpikeState;
}

/** @typeParam C a stage's resolved configuration  @typeParam D what it keeps of its data */
export interface ResumePoint<C, D extends DataState = DataState> {
  readonly checkpoint: Checkpoint;
  readonly step: number;
  readonly config: C;
  readonly data: D;
  readonly tokenizer: RunTokenizer;
  readonly metrics: string;
}

/**
 * @returns where to go on, or undefined when `out` holds no run
 * @throws CHECKPOINT when what is there cannot be resumed
 */
export async function findResumePoint<C, D extends DataState = DataState>(
  out: string,
  talk: Talk,
): Promise<ResumePoint<C, D> | undefined> {
  const { folder, skipped } = await latestGoodCheckpoint(out);
  for (const { reason } of skipped) talk.say(`not used: ${reason}`);
  if (folder === undefined) return undefined;
  const checkpoint = await loadCheckpoint(folder);
  const tokenizer = await checkpoint.readText("tokenizer.json");
  const { training } = checkpoint;
  if (training === undefined || tokenizer === undefined)
    throw new NutshellError(
      "CHECKPOINT",
      `${folder}: must hold training state to be resumed, got none. Choose another --out.`,
    );
  return {
    checkpoint,
    step: training.step,
    config: training.config as C,
    data: training.data as D,
    tokenizer: fromTokenizerJson(tokenizer, join(folder, "tokenizer.json")),
    metrics: (await checkpoint.readText("metrics.jsonl")) ?? "",
  };
}

/**
 * @param freeKeys keys that may change, since they shape no weight
 * @throws CONFIG naming the first other key that differs
 */
export function requireSameConfig<C extends object>(
  out: string,
  stored: C,
  now: C,
  freeKeys: readonly (keyof C)[],
): void {
  const keys = Object.keys({ ...stored, ...now }) as (keyof C)[];
  const differs = keys.find((key) => !freeKeys.includes(key) && stored[key] !== now[key]);
  if (differs === undefined) return;
  const [before, got] = [stored[differs], now[differs]].map((value) => JSON.stringify(value));
  throw new NutshellError(
    "CONFIG",
    `${out}: a resumed run must keep its configuration, got ${String(differs)} ${got} where it has ` +
      `${before}. Use ${before} again, another --out, or --fresh to start over.`,
  );
}

/** @throws DATA when the text is not what the run was started with */
export function requireSameData(out: string, stored: DataState, hash: string): void {
  if (stored.dataHash === hash) return;
  throw new NutshellError(
    "DATA",
    `${out}: a resumed run must read the text that it began with, got other text. ` +
      "Pass the --data of before, another --out, or --fresh to start over.",
  );
}

const runFiles =
  /^(step-\d{8,}(\.\d+)?|\.torn-.*|metrics\.jsonl|(loss|reward)\.svg|card\.md|adapter|mixture\.(svg|md)|data)$/;

/** Removes a run, and nothing else that may lie in its folder. */
export function removeRun(out: string): void {
  let names: string[] = [];
  try {
    names = readdirSync(out).filter((name) => runFiles.test(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  for (const name of names) rmSync(join(out, name), { recursive: true });
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Of the code that trains, with a mark when it was changed since; undefined outside git. */
export function tryReadCommit(): string | undefined {
  const args = ["-C", import.meta.dirname, "describe", "--always", "--dirty"];
  try {
    return execFileSync("git", args, { encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return undefined; // No git, or an installed package.
  }
}
