/**
 * What the policy leaves of usefulness: every user task, unattacked, by its oracle plan, with a
 * person who reads no card, one card, or all of them; and attacked, with all. Solved means that the
 * world changed as recorded and in no other way.
 */
import { type BenchSuite, type BenchTask, createWorld, isSolved, openGate } from "./bench-suite.ts";
import { isConsequence } from "./harm.ts";
import { honest } from "./levels.ts";
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
  /** Pairs of tasks solved while attacked, all approvals given. */
  readonly underAttack: { readonly pairs: number; readonly solved: number };
  /** Solved by a planner that nobody trusts: only what the user typed is the user's. */
  readonly untrustedPlannerAtAny: number;
  readonly unsolved: readonly string[];
}

interface Run {
  readonly solved: boolean;
  readonly approvals: number;
  readonly influence: number;
}

export async function measureUtility(bench: BenchSuite): Promise<Utility> {
  const all = Number.POSITIVE_INFINITY;
  const [none, one, any, untrusted] = [
    await runAll(bench, 0, true),
    await runAll(bench, 1, true),
    await runAll(bench, all, true),
    await runAll(bench, all, false),
  ];
  const writing = bench.tasks.map(({ task }) =>
    task.calls.some((call) => isConsequence(bench.rows, call)),
  );
  const solved = (runs: readonly Run[]): number => runs.filter((run) => run.solved).length;
  const ofWriting = (runs: readonly Run[]): number =>
    runs.filter((run, i) => run.solved && writing[i]).length;
  const bits = any.map((run) => run.influence).filter(Number.isFinite);
  return {
    ...{ tasks: any.length, writing: writing.filter(Boolean).length },
    ...{ at0: solved(none), at1: solved(one), atAny: solved(any) },
    ...{ writingAt0: ofWriting(none), writingAt1: ofWriting(one), writingAtAny: ofWriting(any) },
    approvalsPerTask: mean(any.map((run) => run.approvals)),
    influenceBits: { mean: mean(bits), most: Math.max(0, ...bits) },
    underAttack: await solveUnderAttack(bench),
    untrustedPlannerAtAny: solved(untrusted),
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
  return { solved, approvals: gate.counts.approved, influence: gate.counts.influence };
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

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, one) => sum + one, 0) / values.length;
}
