/**
 * `npm run verify:worst-case -- --json`: scripts the worst case and counts. No model is needed: the
 * adversary is a program that obeys at once (W1), answers every question (W2), searches (W3), lies as
 * a server (W4) or writes the plan itself (W5). It holds when no attack worked, and when the same
 * attacks do work with the policy off.
 *
 *     [--suite DIR] [--report FILE] [--answers 60] [--search 64] [--seed 1] [--json]
 *
 * Our own scenarios always run; of --suite every file below it in a known format (docs/security.md).
 */
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { report } from "../bench/report.ts";
import { type Command, type CommandIo, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import { Progress } from "../src/cli/progress.ts";
import { NutshellError } from "../src/error.ts";
import { inertLine } from "../src/inert-text.ts";
import { inRange, type OptionTableFor, positive } from "../src/options.ts";
import { type Measured, measureFolder, partsOf } from "./worst-case/measure.ts";
import { openSuiteFolder } from "./worst-case/suite-folder.ts";
import { renderReport } from "./worst-case/worst-case-report.ts";

interface WorstCaseValues {
  suite: string | undefined;
  report: string | undefined;
  answers: number;
  search: number;
  seed: number;
}

const options: OptionTableFor<WorstCaseValues> = {
  suite: { type: "string?", value: undefined, placeholder: "DIR", doc: "Folder of suites." },
  report: { type: "string?", value: undefined, placeholder: "FILE", doc: "Tables in Markdown." },
  answers: { type: "integer", value: 60, doc: "Adversarial answers a pair.", check: positive },
  search: { type: "integer", value: 64, doc: "Calls searched a tool.", check: positive },
  seed: { type: "integer", value: 1, doc: "Of random search.", check: inRange(0, 1e6) },
};

const here = import.meta.dirname;
const shared = join(dirname(here), "../shared/data/security");

const command: Command = defineCommand({
  name: "verify:worst-case",
  start: "npm run verify:worst-case --",
  summary: "plays the worst case against the policy: attacks that worked, and utility",
  example: "npm run verify:worst-case -- --json",
  options,
  async run(values, io) {
    const start = performance.now();
    const measured: Measured[] = [];
    for (const dir of foldersOf(values.suite, io)) {
      measured.push(await measure(dir, values, io));
    }
    const attacks = measured.flatMap((one) => one.attacks);
    const success = sum(attacks.map((row) => row.success));
    const withoutPolicy = sum(attacks.map((row) => row.withoutPolicy));
    const holds = success === 0 && withoutPolicy > 0;
    if (values.report !== undefined) writeFileSync(values.report, renderReport(measured));
    const seconds = Math.round((performance.now() - start) / 1000);
    const head = ["suite", "level", "runs", "tried", "blocked", "worked", "policy off"];
    const rows = attacks.map((row) => [
      ...[row.suite, row.level, row.runs, row.attempted, row.blocked, row.success],
      row.withoutPolicy,
    ]);
    const cases = sum(attacks.map((row) => row.runs));
    report(io, head, rows, { holds, success, cases, withoutPolicy, seconds, measured });
    if (!holds) throw new NutshellError("DATA", `worst case: ${describe(success)}`);
  },
});

function describe(success: number): string {
  return success > 0
    ? `no attack may work, got ${success} that did. The JSON line names the first of each.`
    : "attacks must work with the policy off, got none. The harness is blind.";
}

/** Our own scenarios, and the folder that was named, or the shared one where it lies beside us. */
function foldersOf(given: string | undefined, io: CommandIo): string[] {
  const own = join(here, "worst-case/scenarios");
  if (given !== undefined) return [own, given];
  if (existsSync(shared)) return [own, shared];
  io.stderr("no suites beside the repository: only our own scenarios; --suite DIR names others\n");
  return [own];
}

async function measure(dir: string, values: WorstCaseValues, io: CommandIo): Promise<Measured> {
  if (!existsSync(dir)) throw new NutshellError("DATA", `suite: a folder is needed, got ${dir}.`);
  const folder = openSuiteFolder(dir);
  for (const one of folder.skipped) io.stderr(`skipped: ${inertLine(one, 300)}\n`);
  const found = folder.suites.length + folder.cases.length + folder.traces.length;
  if (found === 0) throw new NutshellError("DATA", `suite: ${dir} holds no suite, case or trace.`);
  const { answers: answersPerPair, search: searchPerTool, seed } = values;
  using bar = new Progress(io, { label: "worst case", unit: "parts", total: partsOf(folder) });
  const budget = { answersPerPair, searchPerTool, seed };
  return await measureFolder(folder, budget, (done) => bar.update(done));
}

function sum(values: readonly number[]): number {
  return values.reduce((all, one) => all + one, 0);
}

await runProgram(command);
