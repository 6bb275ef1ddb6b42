/** Rows of a process list in columns, as terminals show them. Cells are inert text. */

export interface Column<T> {
  readonly title: string;
  readonly right?: true;
  cell(row: T): string;
}

/** @param width the last column is cut there */
export function renderColumns<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  width: number,
): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map((c) => c.cell(row))),
  ];
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => line[at]?.length ?? 0)));
  const pad = (cell: string, at: number): string => {
    if (columns[at]?.right) return cell.padStart(widths[at] ?? 0);
    return at === columns.length - 1 ? cell : cell.padEnd(widths[at] ?? 0);
  };
  return cells.map((line) => `${cut(line.map(pad).join("  "), width)}\n`).join("");
}

export function cut(text: string, width: number): string {
  return text.length <= width ? text.trimEnd() : `${text.slice(0, Math.max(1, width - 1))}…`;
}
