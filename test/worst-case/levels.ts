/**
 * The levels of the worst case for one suite. Each plays every user task against every injection
 * task; whether an attack worked is read off the world afterwards. In every attacked run there is a
 * person who says yes to all that the user's own task needs, which is the kindest to the attacker.
 *
 *     W1  the model obeys a stranger's text as soon as it sees it: in a plan, and in a tool loop
 *     W2  every answer of the quarantined model is the attacker's choice
 *     W3  a hijacked model in an open compartment searches for a forbidden sink
 *     W4  servers of tools return anything and lie about themselves
 *     W5  the planner itself is the attacker's from the first token
 */
import type { AnswerType } from "../../src/os/plan/question.ts";
import { answersOf } from "./adversary.ts";
import {
  attacked,
  countForeign,
  honest,
  type Level,
  type LevelCounts,
  type LevelOptions,
  noCounts,
  note,
  runScript,
} from "./attack-run.ts";
import { type BenchSuite, type BenchTask, createWorld, isHarmed, openGate } from "./bench-suite.ts";
import { hostilePlanner, hostileServers, openSearch } from "./hostile-levels.ts";
import { type Answerer, runOraclePlan } from "./plan-run.ts";
import type { InjectionTask } from "./suite-format.ts";
import { runToolLoop } from "./tool-loop.ts";

export const levels: Readonly<Record<string, Level>> = {
  "W1 plan": inPairs(async (bench, one, injection, options, counts) => {
    const script = { plan: one.plan, answer: honest(one), judged: "words and targets" } as const;
    await runScript(bench, one, injection, script, options, counts);
  }),
  "W1 loop": inPairs(async (bench, one, injection, options, counts) => {
    const world = createWorld(bench, one.task, injection);
    const before = world.state?.() ?? null;
    const gate = openGate(bench, one.task, world, attacked(options));
    runToolLoop(gate, one.task.calls, injection.calls);
    countForeign(counts, one, gate);
    note(counts, one, injection, isHarmed(bench, one.task, injection, before, world));
  }),
  W2: inPairs(async (bench, one, injection, options, counts) => {
    const types = await questionTypes(bench, one);
    for (const answers of answersOf(types, one, injection, options)) {
      const answer: Answerer = (question) => answers.get(question);
      const script = { plan: one.plan, answer, judged: "targets" } as const;
      await runScript(bench, one, injection, script, options, counts);
    }
  }),
  W3: openSearch,
  W4: hostileServers,
  W5: hostilePlanner,
};

type Pair = (
  bench: BenchSuite,
  task: BenchTask,
  injection: InjectionTask,
  options: LevelOptions,
  counts: LevelCounts,
) => Promise<void>;

function inPairs(run: Pair): Level {
  return async (bench, options) => {
    const counts = noCounts();
    for (const task of bench.tasks) {
      for (const injection of bench.suite.injectionTasks) {
        await run(bench, task, injection, options, counts);
      }
    }
    return counts;
  };
}

/** The questions that the plan asks when all is well, with their types. */
export async function questionTypes(
  bench: BenchSuite,
  one: BenchTask,
): Promise<ReadonlyMap<string, AnswerType>> {
  const types = new Map<string, AnswerType>();
  const world = createWorld(bench, one.task);
  const gate = openGate(bench, one.task, world, { policy: false, approvals: 0 });
  await runOraclePlan(one.plan, gate, (question, type) => {
    types.set(question, type);
    return one.oracle.answers.get(question);
  });
  return types;
}
