/**
 * What became of the rows of a file: nothing is left out without being counted under a reason, and
 * rows = kept + all that was dropped.
 */

export interface RowCounts {
  rows: number;
  kept: number;
  /** Rows left out, by reason. */
  readonly dropped: Map<string, number>;
}

export function createRowCounts(): RowCounts {
  return { rows: 0, kept: 0, dropped: new Map() };
}

/** Counts one row that is left out, under a few words that say why. */
export function countDropped(counts: RowCounts, reason: string): void {
  counts.dropped.set(reason, (counts.dropped.get(reason) ?? 0) + 1);
}

/** @returns for example `1,100 rows, 1,098 kept, 2 dropped (2 empty answer)` */
export function describeCounts({ rows, kept, dropped }: RowCounts): string {
  const show = (count: number): string => count.toLocaleString("en-US");
  const reasons = [...dropped].map(([reason, count]) => `${show(count)} ${reason}`);
  const tail = reasons.length === 0 ? "" : ` (${reasons.join(", ")})`;
  return `${show(rows)} rows, ${show(kept)} kept, ${show(rows - kept)} dropped${tail}`;
}
