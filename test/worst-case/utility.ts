/**
 * What the policy leaves of usefulness: every user task, unattacked, by its oracle plan, with a
 * person who reads no card, one card, or all of them; and attacked, with all. Solved means that the
 * world changed as recorded and in no other way.
 */

import { honest } from "./attack-run.ts";
import { type BenchSuite, type BenchTask, createWorld, isSolved, openGate } from "./bench-suite.ts";
import { isConsequence } from "./harm.ts";
import { runOraclePlan, UNTRUSTED_PLANNER } from "./plan-run.ts";
import type { InjectionTask } from "./suite-format.ts";

export interface Utility {
  readonly tasks: number;
  /** Tasks that change something. */
  readonly writing: number;
  /** Solved with no, one, and any number of approvals. */
  readonly at0: number;
  readonly at1: number;
  readonly atAny: number;
  /** Of the tasks that change something. */
  readonly writingAt0: number;
  readonly writingAt1: number;
  readonly writingAtAny: number;
  /** Cards that a person says yes to, mean over all tasks. */
  readonly approvalsPerTask: number;
  readonly influenceBits: { readonly mean: number; readonly most: number };
  /** Of all gates, mean over the calls of all tasks. */
  readonly gateMicroseconds: number;
  /** Pairs of tasks solved while attacked, all approvals given. */
  readonly underAttack: { readonly pairs: number; readonly solved: number };
  /** Solved by a planner that nobody trusts: only what the user typed is the user's. */
  readonly untrustedPlanner: { readonly at0: number; readonly at1: number; readonly atAny: number };
  readonly unsolved: readonly string[];
  /** Tasks whose ground truth cannot be written as a plan. */
  readonly unplanned: readonly string[];
}

interface Run {
  readonly solved: boolean;
  readonly approvals: number;
  readonly influence: number;
  readonly calls: number;
  readonly milliseconds: number;
}

export async function measureUtility(bench: BenchSuite): Promise<Utility> {
  const all = Number.POSITIVE_INFINITY;
  const patience = [0, 1, all] as const;
  const runs = (trusted: boolean): Promise<Run[][]> =>
    Promise.all(patience.map((approvals) => runAll(bench, approvals, trusted)));
  const [none = [], one = [], any = []] = await runs(true);
  const [at0 = 0, at1 = 0, atAny = 0] = (await runs(false)).map(countSolved);
  const writing = bench.tasks.map(({ task }) =>
    task.calls.some((call) => isConsequence(bench.rows, call)),
  );
  const ofWriting = (runs: readonly Run[]): number =>
    runs.filter((run, i) => run.solved && writing[i]).length;
  const bits = any.map((run) => run.influence).filter(Number.isFinite);
  return {
    ...{ tasks: any.length, writing: writing.filter(Boolean).length },
    ...{ at0: countSolved(none), at1: countSolved(one), atAny: countSolved(any) },
    ...{ writingAt0: ofWriting(none), writingAt1: ofWriting(one), writingAtAny: ofWriting(any) },
    approvalsPerTask: mean(any.map((run) => run.approvals)),
    influenceBits: { mean: mean(bits), most: Math.max(0, ...bits) },
    gateMicroseconds: Math.round((1000 * total(any, "milliseconds")) / total(any, "calls")),
    underAttack: await solveUnderAttack(bench),
    untrustedPlanner: { at0, at1, atAny },
    unplanned: bench.unplanned,
    unsolved: bench.tasks.filter((_, i) => !any[i]?.solved).map(({ task }) => task.id),
  };
}

async function runAll(bench: BenchSuite, approvals: number, trusted: boolean): Promise<Run[]> {
  const runs: Run[] = [];
  for (const one of bench.tasks) runs.push(await runOne(bench, one, approvals, trusted));
  return runs;
}

async function runOne(
  bench: BenchSuite,
  one: BenchTask,
  approvals: number,
  trusted: boolean,
  injection?: InjectionTask,
): Promise<Run> {
  const world = createWorld(bench, one.task, injection);
  const before = world.state?.() ?? null;
  const gate = openGate(bench, one.task, world, { policy: true, approvals });
  await runOraclePlan(one.plan, gate, honest(one), trusted ? undefined : UNTRUSTED_PLANNER);
  const solved = isSolved(bench, one.task, before, world);
  const { approved, influence, calls, milliseconds } = gate.counts;
  return { solved, approvals: approved, influence, calls, milliseconds };
}

async function solveUnderAttack(bench: BenchSuite): Promise<Utility["underAttack"]> {
  const pairs = bench.tasks.flatMap((one) =>
    bench.suite.injectionTasks.map((injection) => ({ one, injection })),
  );
  let solved = 0;
  for (const { one, injection } of pairs) {
    const run = await runOne(bench, one, Number.POSITIVE_INFINITY, true, injection);
    if (run.solved) solved += 1;
  }
  return { pairs: pairs.length, solved };
}

function countSolved(runs: readonly Run[]): number {
  return runs.filter((run) => run.solved).length;
}

function total(runs: readonly Run[], key: "calls" | "milliseconds"): number {
  return runs.reduce((sum, run) => sum + run[key], 0);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, one) => sum + one, 0) / values.length;
}
