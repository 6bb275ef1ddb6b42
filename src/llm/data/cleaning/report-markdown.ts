/**
 * The cleaning report as Markdown: what was kept, dropped and masked, by source and rule, with the
 * documents that a hash chose as examples.
 */
import type { CleaningSummary, CorpusFindings, SourceSummary } from "./cleaning.ts";
import { ruleNotes } from "./rule-notes.ts";

type Report = Omit<CleaningSummary, "parts">;

export function renderReportMarkdown(summary: Report): string {
  const { sources, examples } = summary;
  const blocks = [
    "# What cleaning did",
    "Every document that was read is kept, or dropped by the first rule that it broke.",
    sourceTable(sources),
    "## Dropped, by rule",
    dropTable(sources),
    "## Masked, by kind",
    maskTable(sources),
    "## Across documents",
    ...findingLines(summary.findings),
    "## Examples",
    "Chosen by a hash of their ids, not by hand. The place that decided stands between ⟦ and ⟧.",
    ...examples.map(({ source, id, rule, detail, excerpt, highlight }) => {
      const text = mark(excerpt, highlight).replace(/\s+/g, " ").replaceAll("<", "&lt;");
      return `**${rule}**, ${source}, \`${id}\`: ${detail}\n\n> ${text}`;
    }),
  ];
  return `${blocks.join("\n\n")}\n`;
}

/** Puts marks around the highlighted part. */
export function mark(
  excerpt: string,
  highlight: readonly [start: number, end: number] | null,
): string {
  if (highlight === null) return excerpt;
  const [start, end] = highlight;
  return `${excerpt.slice(0, start)}⟦${excerpt.slice(start, end)}⟧${excerpt.slice(end)}`;
}

/** One sentence on each rule that compared documents; triggers by name. */
export function findingLines({ nearDuplicates, evaluation, triggers }: CorpusFindings): string[] {
  const lines: string[] = [];
  if (nearDuplicates !== undefined) {
    const { compared, refused } = nearDuplicates;
    lines.push(
      `Near-duplicates: ${compared} pairs compared on their texts, ${refused} of them different.`,
    );
  }
  if (evaluation !== undefined) {
    const sets = evaluation.sets.map(
      ({ name, documents, rows }) => `${name} (${rows} rows in ${documents} documents)`,
    );
    const found = sets.length === 0 ? "none" : sets.join(", ");
    lines.push(
      `Evaluation text: ${found}. Common phrases left alone: ${evaluation.commonPhrases}.`,
    );
  }
  for (const { text, documents, occurrences, score } of triggers ?? []) {
    const where = `${occurrences} times in ${documents} documents`;
    lines.push(`Trigger: "${text.replace(/\s+/g, " ")}", ${where}, log odds ${score.toFixed(1)}.`);
  }
  if (triggers?.length === 0) lines.push("Triggers: none.");
  return lines.length === 0 ? ["No rule compared documents."] : lines;
}

type Cells = readonly (string | number)[];

function table(head: readonly string[], rows: readonly Cells[]): string {
  if (rows.length === 0) return "None.";
  const line = (cells: Cells): string => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, i) => (i === 0 ? "---" : "---:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

export const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
const percent = (part: number, whole: number): string =>
  whole === 0 ? "-" : `${((100 * part) / whole).toFixed(2)} %`;

function sourceTable(sources: readonly SourceSummary[]): string {
  const head = ["source", "domain", "read", "MB", "kept", "MB", "dropped", "share", "masked spans"];
  const rows = sources.map(({ name, domain, read, kept, masked }) => {
    const dropped = read.documents - kept.documents;
    const spans = Object.values(masked).reduce((sum, count) => sum + count.spans, 0);
    return [
      name,
      domain,
      read.documents,
      megabytes(read.bytes),
      kept.documents,
      megabytes(kept.bytes),
      dropped,
      percent(dropped, read.documents),
      spans,
    ];
  });
  return table(head, rows);
}

function dropTable(sources: readonly SourceSummary[]): string {
  const rows = sources.flatMap(({ name, read, dropped }) =>
    Object.entries(dropped).map(([rule, { documents, bytes }]) => [
      rule,
      name,
      documents,
      percent(documents, read.documents),
      (bytes / 1e3).toFixed(1),
      ruleNotes.get(rule) ?? "",
    ]),
  );
  rows.sort((a, b) => (`${a[0]}` < `${b[0]}` ? -1 : 1));
  return table(["rule", "source", "documents", "of the source", "kB", "what it measures"], rows);
}

function maskTable(sources: readonly SourceSummary[]): string {
  const rows = sources.flatMap(({ name, masked }) =>
    Object.entries(masked).map(([kind, { documents, spans }]) => [kind, name, documents, spans]),
  );
  rows.sort((a, b) => (`${a[0]}` < `${b[0]}` ? -1 : 1));
  return table(["kind", "source", "documents", "spans"], rows);
}
