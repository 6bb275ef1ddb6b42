/**
 * From weights to a plan: the lines of the schedule, cut wherever a source has been seen as often
 * as its cap allows. It leaves there, and its share goes to the others in proportion.
 */

import { NutshellError } from "../../../error.ts";
import { type MixturePlan, type MixtureSegment, rowsWithin } from "./plan.ts";
import { toShares } from "./presets.ts";
import { type ScheduleOptions, type SharePoint, sharePoints } from "./schedule.ts";

export interface PlanOptions extends ScheduleOptions {
  /** Rows that each source may give in all: its rows times its epoch cap; undefined: no end. */
  readonly mostRows?: readonly (number | undefined)[];
}

/**
 * @throws CONFIG when the schedule is not valid, and when all sources have left before the end
 */
export function planMixture(options: PlanOptions): MixturePlan {
  const { names, rows } = options;
  const left = names.map((_, i) => options.mostRows?.[i] ?? Number.POSITIVE_INFINITY);
  const points = sharePoints(options);
  const segments: MixtureSegment[] = [];
  let rowsBefore = names.map(() => 0);
  for (const [i, end] of points.slice(1).entries()) {
    let start = points[i] as SharePoint;
    while (start.row < end.row) {
      const segment = nextSegment(start, end, rowsBefore, left, options);
      segments.push(segment);
      start = pointOf(segment, start, end);
      rowsBefore = rowsBefore.map(
        (before, k) => before + rowsWithin(segment, k, lengthOf(segment)),
      );
    }
  }
  return { names, rows, segments };
}

function lengthOf({ fromRow, toRow }: Pick<MixtureSegment, "fromRow" | "toRow">): number {
  return toRow - fromRow;
}

/** The line from `start` on, without the sources that are used up, until the next one is. */
function nextSegment(
  start: SharePoint,
  end: SharePoint,
  rowsBefore: readonly number[],
  left: readonly number[],
  options: PlanOptions,
): MixtureSegment {
  const room = left.map((most, i) => most - (rowsBefore[i] as number));
  const remaining = (shares: readonly number[]): number[] =>
    toShares(shares.map((share, i) => ((room[i] as number) >= 1 ? share : 0)));
  const [atStart, atEnd] = [remaining(start.shares), remaining(end.shares)];
  // A side on which nobody is left takes the shares of the other.
  const sharesAtStart = atStart.some((share) => share > 0) ? atStart : atEnd;
  const sharesAtEnd = atEnd.some((share) => share > 0) ? atEnd : atStart;
  if (sharesAtStart.every((share) => share === 0)) throw usedUp(start.row, options);
  const line = { fromRow: start.row, toRow: end.row, sharesAtStart, sharesAtEnd };
  const lengths = room.map((rows, i) => rowsUntil(line, i, rows));
  const length = Math.min(lengthOf(line), ...lengths);
  if (length === lengthOf(line)) return { ...line, rowsBefore };
  const part = length / lengthOf(line);
  const cut = sharesAtStart.map((a, i) => a + part * ((sharesAtEnd[i] as number) - a));
  return { ...line, toRow: start.row + length, sharesAtEnd: toShares(cut), rowsBefore };
}

/** Whole rows of a line until source `i` has given `room` of them, at least 1. */
function rowsUntil(line: Omit<MixtureSegment, "rowsBefore">, i: number, room: number): number {
  const length = lengthOf(line);
  if (rowsWithin(line, i, length) <= room) return length;
  let low = 0;
  let high = length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (rowsWithin(line, i, middle) <= room) low = middle;
    else high = middle;
  }
  return Math.max(1, low);
}

/** Where the schedule's own line stands at the end of a segment: what the next one starts from. */
function pointOf(segment: MixtureSegment, start: SharePoint, end: SharePoint): SharePoint {
  if (segment.toRow === end.row) return end;
  const part = (segment.toRow - start.row) / (end.row - start.row);
  const shares = start.shares.map((a, i) => a + part * ((end.shares[i] as number) - a));
  return { row: segment.toRow, shares };
}

function usedUp(row: number, { names, rows, mostRows = [] }: PlanOptions): NutshellError {
  const caps = names.map((name, i) => `${name} ${Math.floor(mostRows[i] ?? Number.NaN)}`);
  return new NutshellError(
    "CONFIG",
    `mixture: the sources must last for ${rows} rows within their maxEpochs, got enough for ` +
      `${row} (${caps.filter((cap) => !cap.endsWith("NaN")).join(", ")}). ` +
      "Raise maxEpochs, add text or train less.",
  );
}
