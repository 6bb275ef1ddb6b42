/**
 * A schedule of weights over the run: points at a share of the run or at a step, straight lines
 * between them, the last point held to the end. Two points at one place are a jump. A source that
 * a point does not name keeps its own weight there.
 *
 *     [{ "at": 0.8, "weights": { "books": 1 } }, { "at": 1, "weights": { "books": 5 } }]
 */

import { NutshellError } from "../../../error.ts";
import { suggestName } from "../../../nearest-name.ts";
import { toShares, withTemperature } from "./presets.ts";

export interface SchedulePoint {
  /** Up to 1: a share of the run; above: a step. */
  readonly at: number;
  readonly weights: Readonly<Record<string, number>>;
}

/** Shares of all sources at one row. */
export interface SharePoint {
  readonly row: number;
  readonly shares: readonly number[];
}

export interface ScheduleOptions {
  readonly names: readonly string[];
  /** The sources' own weights: before the first point, and where a point does not name them. */
  readonly weights: readonly number[];
  readonly schedule?: readonly SchedulePoint[];
  /** Default 1. */
  readonly temperature?: number;
  /** Rows of the whole run. */
  readonly rows: number;
  /** Default 1. */
  readonly rowsPerStep?: number;
}

/**
 * @returns points in order of rows, the first at 0, the last at the end of the run
 * @throws CONFIG for a name that is no source, points out of order, weights that leave no source
 */
export function sharePoints(options: ScheduleOptions): SharePoint[] {
  const { names, rows, schedule = [] } = options;
  requireNames("mixture", schedule, names);
  const points = schedule.map((point) => toPoint(options, point));
  const first = points[0];
  if (first === undefined || first.row > 0)
    points.unshift(toPoint(options, { at: 0, weights: {} }));
  requireOrder(points);
  const inside = points.filter(({ row }) => row <= rows);
  const beyond = points[inside.length];
  const last = inside.at(-1) as SharePoint;
  if (last.row === rows) return inside;
  const shares = beyond === undefined ? last.shares : between(last, beyond, rows);
  return [...inside, { row: rows, shares }];
}

function toPoint(options: ScheduleOptions, { at, weights }: SchedulePoint): SharePoint {
  const { names, rows, rowsPerStep = 1, temperature = 1 } = options;
  const row = Math.round(at <= 1 ? at * rows : at * rowsPerStep);
  const own = (i: number): number => options.weights[i] as number;
  const asked = names.map((name, i) => (Object.hasOwn(weights, name) ? weights[name] : own(i)));
  const broken = asked.find((weight) => !(Number.isFinite(weight) && (weight as number) >= 0));
  const total = asked.reduce((sum: number, weight) => sum + (weight as number), 0);
  if (broken !== undefined || total <= 0) throw badWeights(asked as number[], at);
  return { row, shares: withTemperature(asked as number[], temperature) };
}

function badWeights(weights: readonly number[], at: number): NutshellError {
  return new NutshellError(
    "CONFIG",
    `mixture: weights must be at least 0 with a positive sum, got ${JSON.stringify(weights)} at ` +
      `${at}. Give at least one source a weight above 0.`,
  );
}

/**
 * @param where begins the message
 * @throws CONFIG for a point that weighs what is no source
 */
export function requireNames(
  where: string,
  schedule: readonly SchedulePoint[],
  names: readonly string[],
): void {
  const asked = schedule.flatMap(({ weights }) => Object.keys(weights));
  const unknown = asked.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new NutshellError(
    "CONFIG",
    `${where}: a schedule weighs sources, got unknown "${unknown}". ${suggestName(unknown, names)}`,
  );
}

function requireOrder(points: readonly SharePoint[]): void {
  const late = points.findIndex(({ row }, i) => row < (points[i - 1]?.row ?? 0));
  if (late < 0) return;
  const rows = points.map(({ row }) => row).join(", ");
  throw new NutshellError(
    "CONFIG",
    `mixture: the points of a schedule must be in order, got rows ${rows}. Sort them by "at".`,
  );
}

function between(a: SharePoint, b: SharePoint, row: number): number[] {
  const part = (row - a.row) / (b.row - a.row);
  const shares = a.shares.map((share, i) => share + part * ((b.shares[i] as number) - share));
  return toShares(shares);
}
