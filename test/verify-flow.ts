/**
 * `npm run verify:flow`: non-interference of the plan language, and a test of that test. Generated
 * plans run in two worlds that differ in what an attacker wrote, or in what is secret; what is low
 * must not differ. Then every join, raise, push and meet of the label system is mutated, and each
 * mutant has to be told from the real code by a case or by a plan.
 *
 * It holds when no plan leaks and no mutant survives; else the exit code is 1.
 */
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type CommandIo, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import { Progress } from "../src/cli/progress.ts";
import { NutshellError } from "../src/error.ts";
import { inRange, type OptionTableFor } from "../src/options.ts";
import { listMutants, type Mutant } from "./os/plan/mutants.ts";
import type { MutantReport, Order, PlanCounts, PlansReport } from "./verify-flow-worker.ts";

interface FlowValues {
  plans: number;
  seed: number;
  threads: number;
}

const options: OptionTableFor<FlowValues> = {
  plans: { type: "integer", value: 120_000, doc: "Plans to run.", check: inRange(1, 1e8) },
  seed: { type: "integer", value: 1, doc: "Of the first plan.", check: inRange(0, 1e9) },
  threads: {
    ...{ type: "integer", value: Math.min(4, availableParallelism()), check: inRange(1, 64) },
    doc: "Workers.",
  },
};

/** Plans of one order to a worker. */
const CHUNK = 250;
/** Plans that a mutant is put to; most die in the first few. */
const PER_MUTANT = 6_000;
const SHOWN = 3;

/** Gives each worker its next order as soon as it has answered the last. */
async function share<T>(
  threads: number,
  orders: readonly Order[],
  signal: AbortSignal,
  take: (answer: T, order: number) => void,
): Promise<void> {
  let next = 0;
  const serve = async (): Promise<void> => {
    const worker = new Worker(new URL("verify-flow-worker.ts", import.meta.url));
    try {
      while (next < orders.length && !signal.aborted) {
        const order = next++;
        worker.postMessage(orders[order]);
        const [answer] = await once(worker, "message"); // rejects on "error"
        take(answer as T, order);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: threads }, serve));
}

interface Flow {
  readonly counts: PlanCounts;
  readonly violations: readonly string[];
}

async function runPlans({ plans, seed, threads }: FlowValues, io: CommandIo): Promise<Flow> {
  using progress = new Progress(io, { label: "plans", total: plans, unit: "plans" });
  const orders = Array.from({ length: Math.ceil(plans / CHUNK) }, (_, i): Order => {
    const from = seed + i * CHUNK;
    return { plans: { from, to: Math.min(from + CHUNK, seed + plans) } };
  });
  let counts: PlanCounts | undefined;
  const violations: string[] = [];
  await share<PlansReport>(threads, orders, io.signal, (answer) => {
    counts = counts === undefined ? answer.counts : sum(counts, answer.counts);
    violations.push(...answer.violations);
    progress.update(counts.plans);
  });
  if (counts === undefined) throw io.signal.reason;
  return { counts, violations };
}

function sum(a: PlanCounts, b: PlanCounts): PlanCounts {
  const keys = Object.keys(a) as (keyof PlanCounts)[];
  return Object.fromEntries(keys.map((key) => [key, a[key] + b[key]])) as unknown as PlanCounts;
}

interface Mutation {
  readonly mutants: number;
  readonly killed: number;
  /** How many of them by a generated plan, the cases by hand being silent. */
  readonly killedByPlans: number;
  readonly survived: readonly string[];
}

async function runMutants({ seed, threads }: FlowValues, io: CommandIo): Promise<Mutation> {
  const mutants = listMutants();
  using progress = new Progress(io, { label: "mutants", total: mutants.length, unit: "mutants" });
  const plans = { from: seed, to: seed + PER_MUTANT };
  const orders = mutants.map((mutant): Order => ({ mutant, plans }));
  const survived: string[] = [];
  const by: string[] = [];
  await share<MutantReport>(threads, orders, io.signal, ({ killedBy }, i) => {
    if (killedBy === undefined) survived.push(nameOf(mutants[i] as Mutant));
    else by.push(killedBy);
    progress.update(by.length + survived.length);
  });
  const killedByPlans = by.filter((one) => one.startsWith("plan")).length;
  return { mutants: mutants.length, killed: by.length, killedByPlans, survived };
}

const nameOf = ({ file, line, rule }: Mutant): string => `${file}:${line} ${rule}`;

const command = defineCommand({
  name: "verify:flow",
  start: "npm run verify:flow --",
  summary: "no plan leaks what its labels do not tell, and no mutant of the labels survives",
  example: "npm run verify:flow -- --plans 10000",
  options,
  async run(values, io) {
    const started = performance.now();
    const { counts, violations } = await runPlans(values, io);
    const mutation = await runMutants(values, io);
    for (const one of violations.slice(0, SHOWN)) io.stderr(`${one}\n`);
    const holds = violations.length === 0 && mutation.survived.length === 0;
    const seconds = Math.round((performance.now() - started) / 1000);
    const result = { ...counts, violations: violations.length, ...mutation, seed: values.seed };
    io.stdout(`${JSON.stringify({ ...result, seconds, holds })}\n`);
    if (!holds) throw new NutshellError("PLAN", "verify:flow: it must hold, and does not.");
  },
});

await runProgram(command);
