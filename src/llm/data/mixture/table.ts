/** The mixture as a table for the terminal and, with the same cells, in Markdown for a card. */

import { type EmptySlot, type MixtureRow, percent } from "./mixture-row.ts";

interface Column {
  readonly head: string;
  readonly alignRight: boolean;
  cell(row: MixtureRow): string;
  /** For an empty slot of the preset; default: nothing. */
  slot?(slot: EmptySlot): string;
}

const columns: readonly Column[] = [
  {
    head: "source",
    alignRight: false,
    cell: ({ name }) => name,
    slot: ({ name }) => `(${name})`,
  },
  { head: "domain", alignRight: false, cell: ({ domain }) => domain, slot: () => "empty slot" },
  { head: "language", alignRight: false, cell: ({ language }) => language ?? "-" },
  {
    head: "asked",
    alignRight: true,
    cell: ({ requested }) => percent(requested),
    slot: ({ share }) => `(${percent(share / 100)})`,
  },
  {
    head: "realised",
    alignRight: true,
    cell: ({ realised }) => percent(realised),
    slot: () => percent(0),
  },
  { head: "MB", alignRight: true, cell: ({ bytes }) => (bytes / 1e6).toFixed(1) },
  {
    head: "tokens",
    alignRight: true,
    cell: ({ tokens }) => tokens?.toLocaleString("en-US") ?? "-",
  },
  { head: "epochs", alignRight: true, cell: ({ epochs }) => epochs?.toFixed(2) ?? "-" },
  { head: "licence", alignRight: false, cell: ({ licence }) => licence },
];

/** @returns lines of aligned columns, without a line break at the end */
export function renderMixtureTable(
  rows: readonly MixtureRow[],
  emptySlots: readonly EmptySlot[] = [],
): string {
  const lines = [columns.map(({ head }) => head), ...cellsOf(rows, emptySlots)];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const fit = (cell: string, i: number): string =>
    columns[i]?.alignRight ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number);
  return lines.map((line) => `  ${line.map(fit).join("  ")}`.trimEnd()).join("\n");
}

/** @returns a Markdown table, without a line break at the end */
export function renderMixtureMarkdown(
  rows: readonly MixtureRow[],
  emptySlots: readonly EmptySlot[] = [],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const head = columns.map((column) => column.head);
  const ruler = columns.map(({ alignRight }) => (alignRight ? "--:" : "---"));
  const body = cellsOf(rows, emptySlots).map((cells) => cells.map(toMarkdown));
  return [head, ruler, ...body].map(line).join("\n");
}

/** What would end a cell or start markup is taken as it is. */
function toMarkdown(cell: string): string {
  return cell.replace(/[\\|`*_<[\]]/g, "\\$&");
}

/** Names and licences come from files: line breaks in them would break the table. */
function cellsOf(rows: readonly MixtureRow[], emptySlots: readonly EmptySlot[]): string[][] {
  const sources = rows.map((row) => columns.map(({ cell }) => cell(row).replace(/\s+/g, " ")));
  const slots = emptySlots.map((empty) => columns.map(({ slot }) => slot?.(empty) ?? ""));
  return [...sources, ...slots];
}
