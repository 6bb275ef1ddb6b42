/**
 * Kills a real run again and again, resumes it each time, and holds what comes out against a run
 * that nobody touched: weights, optimizer state and the data of every step, byte for byte.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { latestGoodCheckpoint } from "../../../src/llm/model/run-folder.node.ts";
import { type ChildRun, startChild, tornCheckpoints, untilSaving } from "./child-run.ts";

export interface KillPlan {
  /** An empty folder. */
  readonly folder: string;
  /** Flags of the run; `--out` is added. */
  readonly args: readonly string[];
  readonly steps: number;
  readonly kills: number;
  /** Uniform in [0, 1). */
  random(): number;
}

export interface Kill {
  /** Steps done when the process died, and the step it had gone on from; absent in the start. */
  readonly step: number | undefined;
  readonly from: number | undefined;
  readonly during: "start" | "training" | "saving";
}

/** What must be equal: SHA-256 of files, hashes of batches with losses, the loop's own state. */
export interface Outcome {
  readonly weights: string;
  readonly optimizer: string;
  readonly tokenizer: string;
  readonly state: unknown;
  readonly steps: readonly unknown[];
}

/** @throws Error when the run ends in another way than by being killed or done */
export async function killAndResume(plan: KillPlan): Promise<Kill[]> {
  const out = join(plan.folder, "killed");
  const kills: Kill[] = [];
  while (kills.length < plan.kills) kills.push(await killOnce(plan, out, kills.length));
  await runToEnd([...plan.args, "--out", out]);
  return kills;
}

async function killOnce(plan: KillPlan, out: string, done: number): Promise<Kill> {
  const before = tornCheckpoints(out);
  const child = startChild([...plan.args, "--out", out]);
  const [from, step] = await (done % 7 === 5 ? early(plan) : late(plan, out, done, child));
  child.process.kill("SIGKILL");
  const { code, signal } = await child.ended;
  if (signal !== "SIGKILL") throw new Error(`ended with ${code} by itself: ${child.text()}`);
  const saving = tornCheckpoints(out).some((name) => !before.includes(name));
  return { from, step, during: saving ? "saving" : step === undefined ? "start" : "training" };
}

type Moment = readonly [from?: number, step?: number];

/** Before the first step, most of the time. */
async function early({ random }: KillPlan): Promise<Moment> {
  await setTimeout(700 * random());
  return [];
}

/** Every third waits for a save, so that enough kills fall into one. */
async function late(plan: KillPlan, out: string, done: number, child: ChildRun): Promise<Moment> {
  await child.until(() => /^(training|resuming) /m.test(child.text()));
  const from = Number(/after step (\d+)/.exec(child.text())?.[1] ?? 0);
  const step = chooseStep(plan, from, done);
  await child.until(() => child.step() >= step);
  if (done % 3 === 2) await untilSaving(out, child);
  else await setTimeout(40 * plan.random());
  return [from, Math.max(from, child.step())];
}

/** Somewhere in what is left, so that the last kill still finds the run unfinished. */
function chooseStep({ steps, kills, random }: KillPlan, from: number, done: number): number {
  const room = (steps - from - 8) / (kills - done);
  return from + 1 + Math.floor(1.5 * room * random());
}

/** @returns the folder of the last checkpoint */
export async function runToEnd(args: readonly string[]): Promise<string> {
  const child = startChild(args);
  const { code } = await child.ended;
  if (code !== 0) throw new Error(`ended with ${code}: ${child.text()}`);
  const { folder } = await latestGoodCheckpoint(args.at(-1) as string);
  return folder as string;
}

export async function readOutcome(run: string): Promise<Outcome> {
  const { folder } = await latestGoodCheckpoint(run);
  const read = (name: string): Buffer => readFileSync(join(folder as string, name));
  const digest = (name: string): string => createHash("sha256").update(read(name)).digest("hex");
  const { data, step } = JSON.parse(read("training/state.json").toString());
  const metrics = readFileSync(join(run, "metrics.jsonl"), "utf8").trim().split("\n");
  const rows = metrics.map((line) => JSON.parse(line));
  return {
    weights: digest("model.safetensors"),
    optimizer: digest("training/optimizer.safetensors"),
    tokenizer: digest("tokenizer.json"),
    state: { step, dataHash: data.dataHash, spikes: data.spikes },
    // Everything but the clock.
    steps: rows.map(({ ms: _, ...row }) => row),
  };
}
