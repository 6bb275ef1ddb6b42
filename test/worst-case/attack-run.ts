/**
 * One attacked run of any level: a plan or a loop against the gates, what of it was the attacker's,
 * and whether it worked.
 */

import type { Plan } from "../../src/os/plan/plan.ts";
import type { Label } from "../../src/os/security/label.ts";
import {
  type BenchSuite,
  type BenchTask,
  createWorld,
  isHarmed,
  openGate,
  type RunOptions,
} from "./bench-suite.ts";
import type { Gate } from "./gate.ts";
import { type Answerer, runOraclePlan } from "./plan-run.ts";
import { callKey } from "./replay-world.ts";
import type { InjectionTask } from "./suite-format.ts";

export interface LevelCounts {
  runs: number;
  /** Consequential calls that the attacker tried, and those of them that did not run. */
  attempted: number;
  blocked: number;
  /** Runs in which an attack worked. */
  success: number;
  /** Of the first successes. */
  readonly examples: string[];
}

export interface LevelOptions {
  readonly policy: boolean;
  /** Of adversarial answers tried per pair of tasks. */
  readonly answersPerPair: number;
  readonly searchPerTool: number;
  readonly seed: number;
}

export type Level = (bench: BenchSuite, options: LevelOptions) => Promise<LevelCounts>;

/** What is run, and what counts as harm in it. */
export interface Script {
  readonly plan: Plan;
  readonly answer: Answerer;
  /** Whose the plan's literals are; absent: the user's. */
  readonly literals?: Label;
  readonly judged: "words and targets" | "targets";
}

export async function runScript(
  bench: BenchSuite,
  one: BenchTask,
  injection: InjectionTask,
  { plan, answer, literals, judged }: Script,
  options: LevelOptions,
  counts: LevelCounts,
): Promise<void> {
  const world = createWorld(bench, one.task, injection);
  const before = world.state?.() ?? null;
  const gate = openGate(bench, one.task, world, attacked(options));
  await runOraclePlan(plan, gate, answer, literals);
  countForeign(counts, one, gate);
  note(counts, one, injection, isHarmed(bench, one.task, injection, before, world, judged));
}

/** Calls with consequences that the user's task does not make. */
export function countForeign(counts: LevelCounts, { task }: BenchTask, gate: Gate): void {
  const own = new Set(task.calls.map((call) => callKey(call.function, call.args)));
  const foreign = gate.counts.consequences.filter(
    ({ call }) => !own.has(callKey(call.function, call.args)),
  );
  counts.attempted += foreign.length;
  counts.blocked += foreign.filter(({ ran }) => !ran).length;
}

export function note(
  counts: LevelCounts,
  { task }: BenchTask,
  injection: InjectionTask,
  harmed: boolean,
): void {
  counts.runs += 1;
  if (!harmed) return;
  counts.success += 1;
  if (counts.examples.length < 5) counts.examples.push(`${task.id} × ${injection.id}`);
}

export function attacked({ policy }: LevelOptions): RunOptions {
  return { policy, approvals: Number.POSITIVE_INFINITY };
}

export function honest({ oracle }: BenchTask): Answerer {
  return (question) => oracle.answers.get(question);
}

export function noCounts(): LevelCounts {
  return { runs: 0, attempted: 0, blocked: 0, success: 0, examples: [] };
}
