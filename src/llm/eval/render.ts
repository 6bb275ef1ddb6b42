/** A report as people read it: a line a number, with its error bar, its count and what chance is. */
import type { EvalReply, EvalReport, EvalRow } from "./report.ts";

type Cells = readonly string[];

/** Of a reply in the table; the report as JSON has all. */
const MOST_LINES = 8;

const HEAD: Cells = ["", "value", "95 % interval", "n", "chance", ""];

/** @returns lines with columns of one width, then the replies and what was skipped */
export function renderReport(report: EvalReport): string {
  const lines: string[] = [];
  for (const suite of report.suites) {
    const rows = report.rows.filter((row) => row.suite === suite).map(toCells);
    if (rows.length > 0) lines.push("", suite, ...alignColumns([HEAD, ...rows]));
    for (const reply of report.replies.filter((reply) => reply.suite === suite))
      lines.push("", ...renderReply(reply));
  }
  const skipped = report.skipped.map(({ suite, name, reason }) => `${suite}: ${name}: ${reason}`);
  if (skipped.length > 0) lines.push("", "not measured", ...skipped.map((line) => `  ${line}`));
  return `${lines.slice(1).join("\n")}\n`;
}

/** @returns one row as one line, for the talk while it is measured */
export function renderRow(row: EvalRow): string {
  const [name, value, interval, n, chance, note] = toCells(row);
  const about = chance === "" ? "" : ` | chance ${chance}`;
  return `${row.suite} | ${name} | ${value} ${interval} | n ${n}${about}${note ? ` | ${note}` : ""}`;
}

function toCells(row: EvalRow): Cells {
  const { name, value, low, high, n, chance, dropped } = row;
  const show = (x: number): string => formatValue(x, row.unit);
  return [
    name,
    show(value),
    `[${show(low)}, ${show(high)}]`,
    String(n),
    chance === undefined ? "" : show(chance),
    dropped === undefined ? "" : `${dropped} too long`,
  ];
}

function formatValue(value: number, unit: EvalRow["unit"]): string {
  if (unit === "perplexity") return value.toPrecision(4);
  return value.toFixed(3);
}

/** Names to the left, numbers to the right. */
function alignColumns(rows: readonly Cells[]): string[] {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    return `  ${cells.join("  ")}`.trimEnd();
  });
}

const verdicts: Readonly<Record<number, string>> = { 0: "wrong", 1: "right" };

function renderReply({ name, prompt, reply, grade, expected }: EvalReply): string[] {
  const verdict = grade === undefined ? "" : ` (${verdicts[grade] ?? grade})`;
  const wanted = expected === undefined ? "" : `, wanted: ${expected}`;
  const lines = reply.split("\n");
  const shown = lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES), "…"] : lines;
  return [`  ${name}${verdict}${wanted}`, `  > ${prompt}`, ...shown.map((line) => `    ${line}`)];
}
