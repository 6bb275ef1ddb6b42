/**
 * The cleaning report as one HTML page without anything from elsewhere: a bar for each source, a
 * table of rules, examples that unfold. Works from a file, without a script.
 */
import type { CleaningExample, CleaningSummary, SourceSummary } from "./cleaning.ts";
import { findingLines, megabytes } from "./report-markdown.ts";
import { ruleNotes } from "./rule-notes.ts";

type Report = Omit<CleaningSummary, "parts">;

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;
color:#1c1c1c;background:#fff}table{border-collapse:collapse;width:100%}th,td{text-align:left;
padding:.25rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}td.n,th.n{text-align:right;
font-variant-numeric:tabular-nums}.bar{display:flex;height:.9rem;min-width:8rem;background:#eee}
.bar i{display:block;height:100%}.kept{background:#3b7a57}.dropped{background:#b5482f}
mark{background:#ffd9a8}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f6f6f4;
padding:.6rem;margin:.2rem 0 1rem}summary{cursor:pointer}small{color:#555}
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}th,td{border-color:#333}
pre,.bar{background:#242424}mark{background:#7a4a10;color:#fff}small{color:#aaa}}`;

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => escapes[character] ?? character);
}

export function renderReportHtml(summary: Report): string {
  const { sources, examples } = summary;
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>What cleaning did</title><style>${style}</style>
<h1>What cleaning did</h1>
<p>Every document that was read is kept, or dropped by the first rule that it broke.
Green is kept, red is dropped, by documents.</p>
${sourceTable(sources)}
<h2>Dropped, by rule</h2>
${ruleSections(sources, examples)}
<h2>Masked, by kind</h2>
${maskSections(sources, examples)}
<h2>Across documents</h2>
${findingLines(summary.findings)
  .map((line) => `<p>${escapeHtml(line)}</p>`)
  .join("\n")}
</html>
`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], tag: string): string =>
    row.map((cell, i) => `<${tag}${i > 1 ? ' class="n"' : ""}>${cell}</${tag}>`).join("");
  const lines = rows.map((row) => `<tr>${cells(row, "td")}</tr>`);
  return `<table><tr>${cells(head, "th")}</tr>\n${lines.join("\n")}</table>`;
}

function sourceTable(sources: readonly SourceSummary[]): string {
  const rows = sources.map(({ name, domain, language, read, kept }) => {
    const share = read.documents === 0 ? 0 : (100 * kept.documents) / read.documents;
    const bar =
      `<div class="bar"><i class="kept" style="width:${share.toFixed(2)}%"></i>` +
      `<i class="dropped" style="width:${(100 - share).toFixed(2)}%"></i></div>`;
    return [
      `${escapeHtml(name)}<br><small>${escapeHtml(domain)}, ${escapeHtml(language ?? "any language")}</small>`,
      bar,
      `${read.documents}`,
      `${kept.documents}`,
      `${read.documents - kept.documents}`,
      megabytes(read.bytes),
      megabytes(kept.bytes),
    ];
  });
  const head = ["source", "", "read", "kept", "dropped", "MB read", "MB kept"];
  return table(head, rows);
}

function ruleSections(
  sources: readonly SourceSummary[],
  examples: readonly CleaningExample[],
): string {
  const rules = new Set(sources.flatMap(({ dropped }) => Object.keys(dropped)));
  for (const { rule } of examples) if (!rule.startsWith("mask ")) rules.add(rule);
  const sections = [...rules].sort().map((rule) => {
    const rows = sources.flatMap(({ name, dropped }) => {
      const count = dropped[rule];
      return count === undefined
        ? []
        : [[escapeHtml(name), "", `${count.documents}`, megabytes(count.bytes)]];
    });
    const counts = table(["source", "", "documents", "MB"], rows);
    const title = `<b>${escapeHtml(rule)}</b> <small>${escapeHtml(ruleNotes.get(rule) ?? "")}</small>`;
    return section(title, counts, rule, examples);
  });
  return sections.length === 0 ? "<p>Nothing was dropped.</p>" : sections.join("\n");
}

function maskSections(
  sources: readonly SourceSummary[],
  examples: readonly CleaningExample[],
): string {
  const kinds = [...new Set(sources.flatMap(({ masked }) => Object.keys(masked)))].sort();
  const sections = kinds.map((kind) => {
    const rows = sources.flatMap(({ name, masked }) => {
      const count = masked[kind];
      return count === undefined
        ? []
        : [[escapeHtml(name), "", `${count.documents}`, `${count.spans}`]];
    });
    const counts = table(["source", "", "documents", "spans"], rows);
    return section(`<b>${escapeHtml(kind)}</b>`, counts, `mask ${kind}`, examples);
  });
  return sections.length === 0 ? "<p>Nothing was masked.</p>" : sections.join("\n");
}

function section(
  title: string,
  counts: string,
  rule: string,
  examples: readonly CleaningExample[],
): string {
  const shown = examples.filter((example) => example.rule === rule).map(renderExample);
  return `<details><summary>${title}</summary>${counts}${shown.join("")}</details>`;
}

function renderExample({ source, id, detail, excerpt, highlight }: CleaningExample): string {
  const [start, end] = highlight ?? [0, 0];
  const middle = start === end ? "" : `<mark>${escapeHtml(excerpt.slice(start, end))}</mark>`;
  const text = escapeHtml(excerpt.slice(0, start)) + middle + escapeHtml(excerpt.slice(end));
  return `<p><small>${escapeHtml(source)}, ${escapeHtml(id)}: ${escapeHtml(detail)}</small></p><pre>${text}</pre>`;
}
