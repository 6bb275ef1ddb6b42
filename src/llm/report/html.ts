/**
 * `report.html`: one file that loads nothing and runs nothing; its own policy forbids both. Every
 * text is escaped; the only markup that is taken over are the curves that this program drew.
 */
import { composeReport } from "./compose.ts";
import { type Answer, type Block, type BlockTable, type Cell, renderBlocks } from "./document.ts";
import type { GrowRecord } from "./record.ts";
import { styleSheet } from "./style-sheet.ts";

const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

export function renderReportHtml(record: GrowRecord): string {
  const { title, lead, blocks } = composeReport(record);
  return [
    "<!doctype html>",
    `<html lang="en">`,
    "<head>",
    `<meta charset="utf-8">`,
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    `<meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<meta name="color-scheme" content="light dark">`,
    `<title>${escapeHtml(title)}</title>`,
    `<style>\n${styleSheet}</style>`,
    "</head>",
    "<body>",
    `<h1>${escapeHtml(title)}</h1>`,
    ...lead.map(paragraph),
    contents(blocks),
    ...renderBlocks(blocks, table),
    "</body>",
    "</html>\n",
  ].join("\n");
}

/** In text and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

const table: BlockTable = {
  section: ({ title }) => `<h2 id="${anchor(title)}">${escapeHtml(title)}</h2>`,
  heading: ({ title }) => `<h3>${escapeHtml(title)}</h3>`,
  paragraph: ({ text }) => paragraph(text),
  list: ({ items }) => `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join("")}</ul>`,
  table: ({ head, rows, words }) => {
    const titles = head.map((name, i) => `<th${numeric(i, words)}>${escapeHtml(name)}</th>`);
    const lines = rows.map(
      (row) => `<tr>${row.map((one, i) => cellOf(one, i, words)).join("")}</tr>`,
    );
    const body = `<thead><tr>${titles.join("")}</tr></thead>\n<tbody>${lines.join("\n")}</tbody>`;
    return `<div class="wide"><table>${body}</table></div>`;
  },
  answers: ({ title, prompt, expected, answers }) => {
    const want =
      expected === undefined ? "" : `<div class="label">expected</div>${verbatim(expected)}`;
    return (
      `<section class="case"><h3>${escapeHtml(title)}</h3>${verbatim(prompt)}${want}` +
      `<div class="answers">${answers.map(answerOf).join("\n")}</div></section>`
    );
  },
  verbatim: ({ text }) => verbatim(text),
  folded: ({ summary, blocks }) => {
    const inside = renderBlocks(blocks as readonly Block[], table).join("\n");
    return `<details><summary>${escapeHtml(summary)}</summary>\n${inside}\n</details>`;
  },
  figure: ({ title, svg }) =>
    `<figure role="img" aria-label="${escapeHtml(`Curves of ${title}`)}">${svg}</figure>`,
};

function contents(blocks: readonly Block[]): string {
  const links = blocks.flatMap((block) =>
    block.kind === "section"
      ? [`<a href="#${anchor(block.title)}">${escapeHtml(block.title)}</a>`]
      : [],
  );
  return `<nav aria-label="Contents">${links.join("\n")}</nav>`;
}

function paragraph(text: string): string {
  return `<p>${escapeHtml(text)}</p>`;
}

function verbatim(text: string): string {
  return text === "" ? `<pre class="empty">nothing</pre>` : `<pre>${escapeHtml(text)}</pre>`;
}

function cellOf({ text, detail, bold }: Cell, column: number, words: number): string {
  const value = bold ? `<strong>${escapeHtml(text)}</strong>` : escapeHtml(text);
  const beside = detail === undefined ? "" : ` <small>${escapeHtml(detail)}</small>`;
  return `<td${numeric(column, words)}>${value}${beside}</td>`;
}

function numeric(column: number, words: number): string {
  return column < words ? "" : ` class="number"`;
}

function answerOf({ model, verdict, text }: Answer): string {
  const [kind] = (verdict ?? "").split(",");
  const mark =
    verdict === undefined ? "" : ` <span class="verdict ${kind}">${escapeHtml(verdict)}</span>`;
  return `<div><div class="label">${escapeHtml(model)}${mark}</div>${verbatim(text)}</div>`;
}

function anchor(title: string): string {
  return title.toLowerCase().replace(/[^a-z0-9]+/g, "-");
}
