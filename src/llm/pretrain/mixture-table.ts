/** The mixture as a table: what a model is trained on, for the terminal and for its card. */

export interface SourceRow {
  readonly name: string;
  readonly licence: string;
  readonly weight: number;
  readonly trainBytes: number;
  readonly trainTokens: number;
}

type Cell = readonly [text: string, alignRight: boolean];

const heads: readonly Cell[] = [
  ["source", false],
  ["share", true],
  ["MB", true],
  ["tokens", true],
  ["licence", false],
];

/** @returns lines of aligned columns; shares are of training tokens */
export function renderMixture(rows: readonly SourceRow[]): string {
  const table = [heads, ...cellsOf(rows)];
  const widths = heads.map((_, i) => Math.max(...table.map((row) => row[i]?.[0].length ?? 0)));
  const fit = ([text, right]: Cell, i: number): string =>
    right ? text.padStart(widths[i] as number) : text.padEnd(widths[i] as number);
  return table.map((row) => `  ${row.map(fit).join("  ")}`.trimEnd()).join("\n");
}

/** @returns a Markdown table */
export function renderMixtureMarkdown(rows: readonly SourceRow[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const ruler = heads.map(([, right]) => (right ? "--:" : "---"));
  const body = cellsOf(rows).map((row) => row.map(([text]) => text.replaceAll("|", "\\|")));
  return [heads.map(([text]) => text), ruler, ...body].map(line).join("\n");
}

function cellsOf(rows: readonly SourceRow[]): Cell[][] {
  const total = rows.reduce((sum, { weight }) => sum + weight, 0);
  return rows.map(({ name, licence, weight, trainBytes, trainTokens }) => [
    [name, false],
    [`${((100 * weight) / total).toFixed(0)} %`, true],
    [(trainBytes / 1e6).toFixed(1), true],
    [trainTokens.toLocaleString("en-US"), true],
    [licence, false],
  ]);
}
