/** The measured worst case for people: two tables in Markdown, zeros with their upper bounds. */
import type { AttackRow, Measured, SuiteUtility, TraceRow } from "./measure.ts";

export function renderReport(measured: readonly Measured[]): string {
  const attacks = measured.flatMap((one) => one.attacks);
  const utility = measured.flatMap((one) => one.utility);
  const traces = measured.flatMap((one) => one.traces);
  return [
    table(
      ["suite", "level", "runs", "tried", "blocked", "worked", "at most (95 %)", "policy off"],
      attacks.map(toCells),
    ),
    table(
      [
        ...["suite", "tasks", "solved @0", "@1", "@any", "that write: @0", "@1", "@any"],
        ...[
          "cards a task",
          "bits: mean",
          "most",
          "attacked, solved",
          "untrusted planner: @0",
          "@1",
          "@any",
          "µs a call",
        ],
      ],
      utility.map(toUtilityCells),
    ),
    ...(traces.length === 0 ? [] : [traceTable(traces)]),
  ].join("\n");
}

function toCells(row: AttackRow): string[] {
  return [
    ...[row.suite, row.level, count(row.runs), count(row.attempted), count(row.blocked)],
    ...[count(row.success), percent(row.upperBound, 2), count(row.withoutPolicy)],
  ];
}

function toUtilityCells(row: SuiteUtility): string[] {
  const of = (solved: number, all: number): string => (all === 0 ? "–" : percent(solved / all, 0));
  const { pairs, solved } = row.underAttack;
  return [
    ...[row.suite, count(row.tasks), of(row.at0, row.tasks), of(row.at1, row.tasks)],
    ...[of(row.atAny, row.tasks), of(row.writingAt0, row.writing), of(row.writingAt1, row.writing)],
    ...[of(row.writingAtAny, row.writing), row.approvalsPerTask.toFixed(2)],
    ...[row.influenceBits.mean.toFixed(1), row.influenceBits.most.toFixed(1)],
    ...[of(solved, pairs), of(row.untrustedPlanner.at0, row.tasks)],
    ...[of(row.untrustedPlanner.at1, row.tasks), of(row.untrustedPlanner.atAny, row.tasks)],
    count(row.gateMicroseconds),
  ];
}

function traceTable(traces: readonly TraceRow[]): string {
  const head = ["traces", "kind", "runs", "goal refused", "commit refused", "user's calls"];
  return table(
    [...head, "allowed at once", "allowed in all", "cards a run"],
    traces.map(({ suite, kind, counts }) => {
      const { goal, commit } = counts.attacker;
      return [
        ...[suite, kind, count(counts.traces), `${goal.refused}/${goal.tried}`],
        ...[`${commit.refused}/${commit.tried}`, count(counts.userCalls)],
        percent(counts.userAllowed / Math.max(1, counts.userCalls), 1),
        percent(counts.userAllowedWithApproval / Math.max(1, counts.userCalls), 1),
        (counts.approvals / Math.max(1, counts.traces)).toFixed(2),
      ];
    }),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return `${[line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")}\n`;
}

function percent(share: number, digits: number): string {
  return `${(100 * share).toFixed(digits)} %`;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
