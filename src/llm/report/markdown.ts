/**
 * `report.md`. Model text stands in fences longer than any run of backticks in it, everything else
 * has its signs escaped, so that no reply can become markup.
 */
import { composeReport } from "./compose.ts";
import { type Block, type BlockTable, type Cell, renderBlocks } from "./document.ts";
import type { GrowRecord } from "./record.ts";

export function renderReportMarkdown(record: GrowRecord): string {
  const { title, lead, blocks } = composeReport(record);
  const parts = [`# ${inline(title)}`, ...lead.map(inline), ...renderBlocks(blocks, table)];
  return `${parts.join("\n\n")}\n`;
}

const table: BlockTable = {
  section: ({ title }) => `## ${inline(title)}`,
  heading: ({ title }) => `**${inline(title)}**`,
  paragraph: ({ text }) => inline(text),
  list: ({ items }) => items.map((item) => `- ${inline(item)}`).join("\n"),
  table: ({ head, rows, words }) => {
    const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
    const rule = head.map((_, i) => (i < words ? "---" : "--:"));
    return [line(head.map(inline)), line(rule), ...rows.map((row) => line(row.map(cellText)))].join(
      "\n",
    );
  },
  answers: ({ title, prompt, expected, answers }) => {
    const said = answers.map(({ model, verdict, text }) => {
      const label = verdict === undefined ? model : `${model}: ${verdict}`;
      return `${inline(label)}\n\n${fenced(text)}`;
    });
    const want = expected === undefined ? [] : [`expected\n\n${fenced(expected)}`];
    return [`### ${inline(title)}`, fenced(prompt), ...want, ...said].join("\n\n");
  },
  verbatim: ({ text }) => fenced(text),
  folded: ({ summary, blocks }) => {
    const inside = renderBlocks(blocks as readonly Block[], table).join("\n\n");
    return `<details><summary>${inline(summary)}</summary>\n\n${inside}\n\n</details>`;
  },
  figure: ({ file, title }) => `![${inline(title)}](${file})`,
};

function cellText({ text, detail, bold }: Cell): string {
  const value = bold ? `**${inline(text)}**` : inline(text);
  return detail === undefined ? value : `${value} ${inline(detail)}`;
}

/** Plain text in a line: nothing in it is markup. An underscore inside a word never is. */
function inline(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[\\`*[\]|~#]/g, "\\$&")
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\_")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

/** A block of text, whatever it holds. */
function fenced(text: string): string {
  const runs = text.match(/`+/g) ?? [];
  const longest = runs.reduce((most, run) => Math.max(most, run.length), 2);
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}
