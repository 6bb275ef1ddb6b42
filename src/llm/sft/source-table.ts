/** What an epoch draws from each source, as a table for people and for the card. */
import type { SourceRow } from "./deck.ts";
import type { PackedRows } from "./pack.ts";

const head = ["source", "conversations", "tokens", "learned", "share", "held out", "left out"];

/** Columns padded with spaces; every conversation that is left out has its reason. */
export function renderSources(rows: readonly SourceRow[]): string {
  const cells = [head, ...cellsOf(rows)];
  const widths = head.map((_, c) => Math.max(...cells.map((row) => (row[c] as string).length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, c) =>
        isNumber(c) ? cell.padStart(widths[c] as number) : cell.padEnd(widths[c] as number),
      )
      .join("  ")
      .trimEnd();
  return cells.map((row) => `  ${line(row)}`).join("\n");
}

/** The same in Markdown, with licences. */
export function renderSourcesMarkdown(rows: readonly SourceRow[]): string {
  const columns = [...head, "licence"];
  const cells = cellsOf(rows).map((row, i) => [...row, rows[i]?.licence ?? ""]);
  const rule = columns.map((_, c) => (isNumber(c) ? "--:" : "---"));
  const table = [columns, rule, ...cells].map((row) => `| ${row.join(" | ")} |`).join("\n");
  const about = rows.map(({ name, card }) => `- ${name}: ${card}`).join("\n");
  return `${table}\n\n${about}`;
}

/** E.g. "4,511 rows of 257 tokens, 1.2 % of them empty". */
export function renderPacking({ rows, rowTokens, padding }: PackedRows): string {
  const empty = ((100 * padding) / (rows * rowTokens)).toFixed(1);
  return `${count(rows)} rows of ${rowTokens} tokens, ${empty} % of them empty`;
}

function isNumber(column: number): boolean {
  return column > 0 && column < head.length - 1;
}

function cellsOf(rows: readonly SourceRow[]): string[][] {
  const all = rows.reduce((sum, { learned }) => sum + learned, 0) || 1;
  return rows.map(({ name, conversations, tokens, learned, held, cut, undrawn, dropped }) => {
    const reasons = Object.entries(dropped).map(([reason, n]) => `${count(n)} ${reason}`);
    const notes = [
      ...(undrawn > 0 ? [`${count(undrawn)} beyond its share`] : []),
      ...reasons,
      ...(cut > 0 ? [`${count(cut)} cut after the last answer`] : []),
    ];
    const share = `${((100 * learned) / all).toFixed(1)} %`;
    const numbers = [count(conversations), count(tokens), count(learned), share, count(held)];
    return [name, ...numbers, notes.join(", ") || "none"];
  });
}

function count(n: number): string {
  return n.toLocaleString("en-US");
}
