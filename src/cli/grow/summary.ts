/** What `grow` and `npm start -- --grow` print at the end: the thresholds a reader looks for first. */
import { join } from "node:path";
import type { EvalReport, EvalRow } from "../../llm/eval/report.ts";
import type { GrowRecord } from "../../llm/report/record.ts";
import { formatDuration } from "../format.ts";

const rows: readonly (readonly [name: string, label: string])[] = [
  ["well-formed turns", "turns that are well formed"],
  ["exact call: calculator", "exact tool calls on unseen arithmetic"],
  ["solved: calculator", "right answers through the tool"],
  ["solved: steps", "right answers step by step"],
  ["solved: refusal", "harmful requests refused"],
];

/** Searchable lines after a `---`, as every stage prints them, then where the report lies. */
export function renderGrown(record: GrowRecord): string {
  const { out, seconds, stages, evals } = record;
  const times = stages.map(({ name, seconds: s }) => `${name} ${formatDuration(s)}`).join(", ");
  const head = `${"".padEnd(40)}${"base".padStart(8)}${"sft".padStart(8)}${"rl".padStart(8)}`;
  const measured = rows.map(([name, label]) => {
    const values = [evals.base, evals.sft, evals.rl].map((report) => shareOf(report, name));
    return `${label.padEnd(40)}${values.map((value) => value.padStart(8)).join("")}`;
  });
  return [
    "---",
    `took ${formatDuration(seconds)}: ${times}`,
    head,
    ...measured,
    `report: ${join(out, "report.html")}`,
    "",
  ].join("\n");
}

function shareOf(report: EvalReport | undefined, name: string): string {
  const row = report?.rows.find((one: EvalRow) => one.suite === "assistant" && one.name === name);
  return row === undefined ? "-" : row.value.toFixed(3);
}
