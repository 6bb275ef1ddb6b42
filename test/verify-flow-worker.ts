/**
 * Worker of `verify:flow`. Asked for plans, it runs each in two worlds; asked for a mutant, it loads
 * it and puts it to the cases worked out by hand, then to plans, until one of them tells it from the
 * real code.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parentPort } from "node:worker_threads";
import { parsePlan } from "../src/os/plan/parse.ts";
import { runPlan } from "../src/os/plan/run.ts";
import { partLabels } from "../src/os/security/labelled.ts";
import { type Line, renderLines, smallerPlans, Writer } from "./os/plan/generate-plan.ts";
import { failedCase } from "./os/plan/label-cases.ts";
import { loadLanguage, type Mutant } from "./os/plan/mutants.ts";
import { type Kind, kinds, type Language, type Pair, runPair } from "./os/plan/two-worlds.ts";

export type Order =
  | { readonly plans: { readonly from: number; readonly to: number } }
  | { readonly mutant: Mutant; readonly plans: { readonly from: number; readonly to: number } };

/** What shows that the generator bites. */
export interface PlanCounts {
  plans: number;
  /** Plans whose two runs differed in what is high. */
  differing: number;
  /** Plans with calls under a pc that the attacker, or a secret, decided. */
  steered: number;
  calls: number;
  lowCalls: number;
  allowed: number;
  denied: number;
  /** Plans that reached a limit: compared up to there. */
  stopped: number;
}

export interface PlansReport {
  readonly counts: PlanCounts;
  readonly violations: readonly string[];
}

export interface MutantReport {
  /** The case or the plan that told it; absent: it survived. */
  readonly killedBy?: string;
}

const real: Language = { partLabels, parsePlan, runPlan };
const kindOf = (seed: number): Kind => kinds[seed % kinds.length] as Kind;

async function runPlans(from: number, to: number): Promise<PlansReport> {
  const violations: string[] = [];
  const counts: PlanCounts = {
    ...{ plans: 0, differing: 0, steered: 0, calls: 0, lowCalls: 0, allowed: 0, denied: 0 },
    stopped: 0,
  };
  for (let seed = from; seed < to; seed++) {
    const lines = new Writer(seed).plan();
    const pair = await runPair(real, renderLines(lines), seed, kindOf(seed));
    count(counts, pair);
    if (pair.violation !== undefined) violations.push(await shrink(lines, seed));
  }
  return { counts, violations };
}

function count(counts: PlanCounts, { traces, results }: Pair): void {
  const [first, second] = results;
  const values = results.map((one) => (one.status === "returned" ? one.value.value : null));
  counts.plans++;
  counts.differing += Number(JSON.stringify(values[0]) !== JSON.stringify(values[1]));
  counts.steered += Number(traces.some(({ made, calls }) => made > calls.length));
  counts.stopped += Number(first.status === "stopped" || second.status === "stopped");
  for (const { made, calls, consequences, denied } of traces) {
    counts.calls += made;
    counts.lowCalls += calls.length;
    counts.allowed += consequences.length;
    counts.denied += denied;
  }
}

/** The smallest plan near this one that still leaks, with what differs. */
async function shrink(lines: readonly Line[], seed: number): Promise<string> {
  let smallest = lines;
  for (let tries = 0, found = true; found && tries < 2000; ) {
    found = false;
    for (const smaller of smallerPlans(smallest)) {
      if (++tries > 2000 || (await violationOf(smaller, seed)) === undefined) continue;
      smallest = smaller;
      found = true;
      break;
    }
  }
  const head = `seed ${seed} (${kindOf(seed)}): ${await violationOf(smallest, seed)}`;
  return `${head}\n${renderLines(smallest)}`;
}

async function violationOf(lines: readonly Line[], seed: number): Promise<string | undefined> {
  try {
    return (await runPair(real, renderLines(lines), seed, kindOf(seed))).violation;
  } catch {
    return undefined; // A line that is left out may have declared a name.
  }
}

/** A mutant that cannot be loaded tells nothing: it throws. */
async function judgeMutant(mutant: Mutant, from: number, to: number): Promise<MutantReport> {
  const dir = mkdtempSync(join(tmpdir(), "nutshell-mutant-"));
  try {
    const language = await loadLanguage(dir, mutant);
    const failed = await failedCase(language);
    if (failed !== undefined) return { killedBy: `case ${failed}` };
    for (let seed = from; seed < to; seed++) {
      const text = renderLines(new Writer(seed).plan());
      const { violation } = await runPair(language, text, seed, kindOf(seed));
      if (violation !== undefined) return { killedBy: `plan ${seed}` };
    }
    return {};
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

parentPort?.on("message", async (order: Order) => {
  const { from, to } = order.plans;
  const done = "mutant" in order ? judgeMutant(order.mutant, from, to) : runPlans(from, to);
  parentPort?.postMessage(await done);
});
