/**
 * The gates in memory, with which hundreds of thousands of calls are judged, against the kernel over
 * a real Postgres: every plan of our scenarios, honest and with adversarial answers, must meet the
 * same outcome at every call in both.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Program } from "../../src/os/kernel/process.ts";
import type { Syscall } from "../../src/os/kernel/syscall.ts";
import type { PlanHost, PlanOutcome } from "../../src/os/plan/host.ts";
import { parsePlan } from "../../src/os/plan/parse.ts";
import { runPlan } from "../../src/os/plan/run.ts";
import type { Json } from "../../src/os/security/labelled.ts";
import { testDatabase } from "../durable/test-database.ts";
import { boot, returned, typed } from "../os/kernel/test-kernel.ts";
import { answersOf } from "./adversary.ts";
import {
  type BenchSuite,
  type BenchTask,
  createWorld,
  OWNER,
  openGate,
  prepareSuite,
} from "./bench-suite.ts";
import { questionTypes } from "./levels.ts";
import { fromPlanName } from "./plan-names.ts";
import { runOraclePlan } from "./plan-run.ts";
import type { ToolRow } from "./sinks.ts";
import { openSuiteFolder } from "./suite-folder.ts";
import type { InjectionTask } from "./suite-format.ts";
import type { World } from "./world.ts";

const benches = openSuiteFolder(join(import.meta.dirname, "scenarios")).suites.map((suite) => {
  return prepareSuite(suite);
});

/** Stands behind the rows of the kernel while one run lasts. */
let world: World | undefined;

function toSyscall({ name, access, irreversible, sinks, parameters }: ToolRow): Syscall {
  const reversible = access === "read" ? "pure" : "idempotent";
  return {
    ...{ name, doc: "A scenario's tool.", access, sinks },
    effect: irreversible ? "irreversible" : reversible,
    args: { ...parameters, type: "object", additionalProperties: false },
    run: ({ value }) => {
      const answer = world?.run(name, value as Readonly<Record<string, Json>>);
      assert.ok(answer);
      const labels = answer.labels === undefined ? {} : { labels: answer.labels };
      return Promise.resolve({ value: answer.value, ...labels });
    },
  };
}

/** Runs the plan of its input over its own system calls, and returns what each came to. */
const oracle: Program = async (sys) => {
  const { plan, answers } = sys.input.value as Readonly<Record<string, string>>;
  const known = new Map(JSON.parse(answers ?? "[]") as [string, Json][]);
  const codes: string[] = [];
  const host: PlanHost = {
    async call(name, args, pc) {
      const outcome = await sys.call(fromPlanName(name), args, pc);
      codes.push(outcome.status === "error" ? outcome.error.code : outcome.status);
      return outcome;
    },
    ask(question): Promise<PlanOutcome> {
      const value = known.get(String(question.text.value)) ?? null;
      const { labels } = question.about;
      return Promise.resolve({ status: "ok", value: { value, labels } });
    },
  };
  await runPlan(parsePlan(plan ?? ""), host);
  return typed(codes);
};

test("the kernel and the gates in memory refuse the same calls for the same reasons", async () => {
  await using database = await testDatabase();
  // Tools of one name are one tool in all scenarios.
  const rows = new Map(benches.flatMap((bench) => [...bench.rows]));
  const syscalls = [...rows.values()].map(toSyscall);
  await using kernel = await boot(database, { oracle }, { syscalls });
  const codes = new Map<string, number>();
  for (const { bench, one, injection, answers } of await allRuns()) {
    const inMemory = await runInMemory(bench, one, injection, answers);
    world = createWorld(bench, one.task, injection);
    const input = {
      plan: one.oracle.text,
      answers: JSON.stringify([...answers]),
    };
    const pid = await kernel.spawn({
      ...{ program: "oracle", input: typed(input), userTurn: one.task.prompt, owner: OWNER },
      capabilities: bench.capabilities,
      approvals: "deny",
    });
    const inKernel = returned(await kernel.wait(pid)) as string[];
    assert.deepEqual(inKernel, inMemory, `${bench.suite.name} ${one.task.id} ${injection.id}`);
    for (const code of inKernel) codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  for (const code of ["ok", "APPROVAL", "POLICY"]) {
    assert.ok((codes.get(code) ?? 0) > 2, JSON.stringify([...codes]));
  }
});

interface OneRun {
  readonly bench: BenchSuite;
  readonly one: BenchTask;
  readonly injection: InjectionTask;
  readonly answers: ReadonlyMap<string, Json>;
}

/** Each task honest against its first attack, and two sets of answers of each attack. */
async function allRuns(): Promise<OneRun[]> {
  const runs: OneRun[] = [];
  for (const bench of benches) {
    for (const one of bench.tasks) {
      const types = await questionTypes(bench, one);
      for (const [i, injection] of bench.suite.injectionTasks.entries()) {
        if (i === 0) runs.push({ bench, one, injection, answers: one.oracle.answers });
        const hostile = answersOf(types, one, injection, { answersPerPair: 2 });
        for (const answers of hostile) runs.push({ bench, one, injection, answers });
      }
    }
  }
  return runs;
}

async function runInMemory(
  bench: BenchSuite,
  one: BenchTask,
  injection: InjectionTask,
  answers: ReadonlyMap<string, Json>,
): Promise<string[]> {
  const memory = createWorld(bench, one.task, injection);
  const gate = openGate(bench, one.task, memory, { policy: true, approvals: 0 });
  const codes: string[] = [];
  const watched = {
    counts: gate.counts,
    call: (...args: Parameters<typeof gate.call>) => {
      const outcome = gate.call(...args);
      codes.push(outcome.status === "ok" ? "ok" : outcome.code);
      return outcome;
    },
  };
  await runOraclePlan(one.plan, watched, (question) => answers.get(question) ?? null);
  return codes;
}
