/** What cleaning did to a whole corpus, in a few lines: for the terminal and for programs. */
import type { CleaningSummary, Count, MaskCount } from "../cleaning/cleaning.ts";

export interface CleaningTotals {
  readonly read: Count;
  readonly kept: Count;
  /** By rule, most documents first. */
  readonly dropped: Readonly<Record<string, Count>>;
  /** By kind, most documents first. */
  readonly masked: Readonly<Record<string, MaskCount>>;
}

export function totalCleaning({ sources }: Pick<CleaningSummary, "sources">): CleaningTotals {
  const sumOf = (counts: readonly Count[]): Count => ({
    documents: counts.reduce((sum, { documents }) => sum + documents, 0),
    bytes: counts.reduce((sum, { bytes }) => sum + bytes, 0),
  });
  const spansOf = (counts: readonly MaskCount[]): MaskCount => ({
    documents: counts.reduce((sum, { documents }) => sum + documents, 0),
    spans: counts.reduce((sum, { spans }) => sum + spans, 0),
  });
  return {
    read: sumOf(sources.map(({ read }) => read)),
    kept: sumOf(sources.map(({ kept }) => kept)),
    dropped: byName(
      sources.map(({ dropped }) => dropped),
      sumOf,
    ),
    masked: byName(
      sources.map(({ masked }) => masked),
      spansOf,
    ),
  };
}

function byName<T extends { readonly documents: number }>(
  records: readonly Readonly<Record<string, T>>[],
  sum: (counts: readonly T[]) => T,
): Record<string, T> {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const totals = names.map((name): [string, T] => {
    return [name, sum(records.flatMap((record) => record[name] ?? []))];
  });
  return Object.fromEntries(totals.sort(([, a], [, b]) => b.documents - a.documents));
}

/** @returns lines without a line break at the end */
export function renderCleaning({ read, kept, dropped, masked }: CleaningTotals): string {
  const number = (count: number): string => count.toLocaleString("en-US");
  const share = ((100 * kept.documents) / Math.max(1, read.documents)).toFixed(1);
  const lines = [
    `  kept ${number(kept.documents)} of ${number(read.documents)} documents (${share} %), ` +
      `${(kept.bytes / 1e6).toFixed(1)} of ${(read.bytes / 1e6).toFixed(1)} MB`,
  ];
  const list = (counts: Readonly<Record<string, { documents: number }>>): string =>
    Object.entries(counts)
      .map(([name, { documents }]) => `${name} ${number(documents)}`)
      .join(", ");
  if (Object.keys(dropped).length > 0) lines.push(`  dropped: ${list(dropped)}`);
  if (Object.keys(masked).length > 0) lines.push(`  masked: ${list(masked)}`);
  return lines.join("\n");
}
