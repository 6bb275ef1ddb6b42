/**
 * Everything measured on one folder of suites, as one plain object. Each level runs twice: with the
 * policy, where no attack may work, and without, where the same attacks must, or the zeros would
 * mean nothing.
 */

import type { LevelCounts, LevelOptions } from "./attack-run.ts";
import { OWNER, prepareSuite } from "./bench-suite.ts";
import { withHandPlans } from "./hand-plans.ts";
import { type CaseResult, runCase } from "./injecagent.ts";
import { levels } from "./levels.ts";
import { replayTraces, type TraceCounts } from "./recorded-traces.ts";
import { toRow } from "./sinks.ts";
import { upperBound } from "./statistics.ts";
import type { SuiteFolder } from "./suite-folder.ts";
import type { Suite, ToolSpec } from "./suite-format.ts";
import type { Trace } from "./trace-format.ts";
import { measureUtility, type Utility } from "./utility.ts";

export interface AttackRow {
  readonly suite: string;
  readonly level: string;
  readonly runs: number;
  readonly attempted: number;
  readonly blocked: number;
  readonly success: number;
  /** Of the rate of success, 95 %. */
  readonly upperBound: number;
  /** Successes of the same runs with the policy off. */
  readonly withoutPolicy: number;
  readonly examples: readonly string[];
}

export interface SuiteUtility extends Utility {
  readonly suite: string;
  readonly milliseconds: number;
}

export interface TraceRow {
  readonly suite: string;
  readonly kind: Trace["kind"];
  readonly counts: TraceCounts;
}

export interface Measured {
  readonly attacks: readonly AttackRow[];
  readonly utility: readonly SuiteUtility[];
  readonly traces: readonly TraceRow[];
  /** Of single-call cases: the user's own calls allowed without asking. */
  readonly cases?: { readonly runs: number; readonly useful: number };
  readonly skipped: readonly string[];
}

/** Parts of the work: levels and utility of each suite, then cases, then traces. */
export function partsOf(folder: SuiteFolder): number {
  return folder.suites.length * (Object.keys(levels).length + 1) + 2;
}

export async function measureFolder(
  folder: SuiteFolder,
  options: Omit<LevelOptions, "policy">,
  progress: (partsDone: number) => void,
): Promise<Measured> {
  let done = 0;
  const tell = (): void => progress(done++);
  const attacks: AttackRow[] = [];
  const utility: SuiteUtility[] = [];
  for (const suite of folder.suites) {
    const bench = prepareSuite(withHandPlans(suite), folder.overrides.get(suite.name));
    for (const [level, run] of Object.entries(levels)) {
      tell();
      const counts = await run(bench, { ...options, policy: true });
      const without = await run(bench, { ...options, policy: false });
      attacks.push(toAttackRow(suite.name, level, counts, without.success));
    }
    tell();
    const start = performance.now();
    const measured = await measureUtility(bench);
    const milliseconds = Math.round(performance.now() - start);
    utility.push({ suite: suite.name, ...measured, milliseconds });
  }
  tell();
  const cases = measureCases(folder);
  if (cases !== undefined) attacks.push(cases.row);
  tell();
  const traces = folder.traces.length === 0 ? [] : measureTraces(folder);
  attacks.push(...traces.filter(({ kind }) => kind === "hijacked").map(toTraceAttack));
  const own = cases === undefined ? {} : { cases: cases.useful };
  return { attacks, utility, traces, ...own, skipped: folder.skipped };
}

function toAttackRow(
  suite: string,
  level: string,
  { runs, attempted, blocked, success, examples }: LevelCounts,
  withoutPolicy: number,
): AttackRow {
  const bound = upperBound(success, runs);
  return {
    suite,
    level,
    runs,
    attempted,
    blocked,
    success,
    upperBound: bound,
    withoutPolicy,
    examples,
  };
}

function measureCases(
  folder: SuiteFolder,
): { row: AttackRow; useful: { runs: number; useful: number } } | undefined {
  if (folder.cases.length === 0) return undefined;
  const rows = new Map([...undescribed(folder), ...folder.tools].map((t) => [t.name, toRow(t)]));
  const runAll = (policy: boolean): CaseResult[] =>
    folder.cases.flatMap((one) =>
      one.responses.map((response) =>
        runCase(one, response, folder.attackers.get(one.attacker), rows, policy),
      ),
    );
  const [on, off] = [runAll(true), runAll(false)];
  const sum = (key: "attempted" | "blocked"): number => on.reduce((all, one) => all + one[key], 0);
  const success = on.filter((one) => one.success).length;
  const counts = { attempted: sum("attempted"), blocked: sum("blocked"), success };
  const examples = folder.cases.filter((_, i) => on[i]?.success).map((one) => one.id);
  const found = { runs: on.length, ...counts, examples: examples.slice(0, 5) };
  const row = toAttackRow("injecagent", "W1", found, off.filter((one) => one.success).length);
  return { row, useful: { runs: on.length, useful: on.filter((one) => one.useful).length } };
}

/** Tools of the cases that no file describes, read strictly: each writes, sends, and is for ever. */
function undescribed({ cases, attackers }: SuiteFolder): ToolSpec[] {
  const orders = [...attackers.values()].flatMap(({ calls }) => calls);
  const named = cases.flatMap((one) => [
    { function: one.tool, args: one.args },
    ...one.attackerTools.map((name) => ({ function: name, args: {} })),
  ]);
  return [...named, ...orders].map(({ function: name, args }) => {
    const properties = Object.fromEntries(Object.keys(args).map((key) => [key, {}]));
    const parameters = { type: "object", properties };
    return { name, description: "", parameters, effect: "write", egress: true };
  });
}

function measureTraces(folder: SuiteFolder): TraceRow[] {
  const kinds = ["hijacked", "resisted", "benign"] as const;
  const names = [...new Set(folder.traces.map(({ suite }) => suite))];
  return names.flatMap((name) => {
    const suite = folder.suites.find((one) => one.name === name);
    const rows = rowsOf(suite, folder);
    return kinds.flatMap((kind) => {
      const traces = folder.traces.filter((one) => one.suite === name && one.kind === kind);
      const counts = replayTraces(traces, rows, OWNER, 16, true);
      return traces.length === 0 ? [] : [{ suite: name, kind, counts }];
    });
  });
}

function rowsOf(suite: Suite | undefined, folder: SuiteFolder): ReturnType<typeof prepareRows> {
  return prepareRows(suite?.tools ?? folder.tools, folder.overrides.get(suite?.name ?? ""));
}

function prepareRows(
  tools: SuiteFolder["tools"],
  overrides: Parameters<typeof toRow>[1],
): Map<string, ReturnType<typeof toRow>> {
  return new Map(tools.map((tool) => [tool.name, toRow(tool, overrides)]));
}

/** A goal that was carried out in the recorded run and would be again is a success. */
function toTraceAttack({ suite, counts }: TraceRow): AttackRow {
  const { tried, refused } = counts.attacker.goal;
  const found = { runs: tried, attempted: tried, blocked: refused, success: tried - refused };
  return toAttackRow(`${suite} traces`, "recorded", { ...found, examples: [] }, tried);
}
