/**
 * Which source each row of a run is of. The plan's shares are real numbers; here they become whole
 * rows: the run is cut into at most 1,024 blocks, in each of which a source gets its share to
 * within one row, and what rounding took is paid in the next block, so counts never drift. Inside
 * a block the rows of a source are spread evenly.
 *
 * So the source of row g, and how many rows of that source came before, follow from g alone; the
 * table of blocks has a fixed size and takes a few milliseconds to make.
 */
import { type MixturePlan, rowsOfSource } from "../mixture/plan.ts";

export interface RowSchedule {
  readonly rows: number;
  readonly sources: number;
  /** Rows of a block; the last one may be shorter. */
  readonly blockRows: number;
  /** Steps around a block that visit each of its places once, evenly; of the last block too. */
  readonly stride: number;
  readonly lastStride: number;
  /** [blocks + 1, sources]: rows of each source before a block. */
  readonly before: Float64Array;
}

/** One row of a run: the `index`-th of its source. */
export interface ScheduledRow {
  source: number;
  index: number;
}

const MOST_BLOCKS = 1024;
const LEAST_BLOCK_ROWS = 256;

export function scheduleRows(plan: MixturePlan): RowSchedule {
  const { rows, names } = plan;
  const sources = names.length;
  const blockRows = Math.max(LEAST_BLOCK_ROWS, Math.ceil(rows / MOST_BLOCKS));
  const blocks = Math.ceil(rows / blockRows);
  const before = new Float64Array((blocks + 1) * sources);
  for (let block = 0; block < blocks; block++) {
    const end = Math.min(rows, (block + 1) * blockRows);
    const asked = names.map((_, i) => rowsOfSource(plan, i, end));
    const now = [...before.subarray(block * sources, (block + 1) * sources)];
    before.set(apportion(now, asked, end), (block + 1) * sources);
  }
  const [stride, lastStride] = [strideOf(blockRows), strideOf(rows - (blocks - 1) * blockRows)];
  return { rows, sources, blockRows, stride, lastStride, before };
}

/**
 * Whole numbers near `asked` that sum to `total`, none below `now`: each rounded down, then one
 * more to where most is missing.
 */
function apportion(now: readonly number[], asked: readonly number[], total: number): number[] {
  const counts = asked.map((rows, i) => Math.max(now[i] as number, Math.floor(rows)));
  const missing = (i: number): number => (asked[i] as number) - (counts[i] as number);
  let open = total - counts.reduce((sum, count) => sum + count, 0);
  const places = [...counts.keys()];
  for (; open > 0; open--) {
    const most = places.reduce((a, b) => (missing(b) > missing(a) ? b : a));
    counts[most] = (counts[most] as number) + 1;
  }
  for (; open < 0; open++) {
    const spare = places.filter((i) => (counts[i] as number) > (now[i] as number));
    const least = spare.reduce((a, b) => (missing(b) < missing(a) ? b : a));
    counts[least] = (counts[least] as number) - 1;
  }
  return counts;
}

/**
 * @param row 0 … rows - 1  @param out written and returned, so that nothing is allocated
 * @throws RangeError for a row after the last
 */
export function scheduledRow(schedule: RowSchedule, row: number, out: ScheduledRow): ScheduledRow {
  const { sources, blockRows, before, rows } = schedule;
  if (row >= rows) throw new RangeError(`row ${row} lies outside a schedule of ${rows} rows`);
  const block = Math.floor(row / blockRows);
  const at = block * sources;
  const index = row - block * blockRows;
  const size = Math.min(blockRows, rows - block * blockRows);
  const stride = size === blockRows ? schedule.stride : schedule.lastStride;
  const place = (index * stride) % size;
  let source = 0;
  let from = 0;
  let to = 0;
  for (; source < sources; source++, from = to) {
    to += (before[at + sources + source] as number) - (before[at + source] as number);
    if (place < to) break;
  }
  out.source = source;
  out.index = (before[at + source] as number) + countInside(index, stride, size, from, to);
  return out;
}

/** Rows of each source among the first `rows` of the run. */
export function realisedRows(schedule: RowSchedule, rows: number): number[] {
  const { sources, blockRows, before } = schedule;
  const block = Math.min(Math.floor(rows / blockRows), before.length / sources - 1);
  const counts = [...before.subarray(block * sources, (block + 1) * sources)];
  const found = { source: 0, index: 0 };
  for (let row = block * blockRows; row < rows; row++) {
    const { source } = scheduledRow(schedule, row, found);
    counts[source] = (counts[source] as number) + 1;
  }
  return counts;
}

/** The shares of the sources among the first `rows` rows; the whole run by default. */
export function realisedProportions(plan: MixturePlan, rows: number = plan.rows): number[] {
  return realisedRows(scheduleRows(plan), rows).map((count) => count / rows);
}

/** How many of the first `n` multiples of `stride`, modulo `size`, lie in [from, to). */
function countInside(n: number, stride: number, size: number, from: number, to: number): number {
  return floorSum(n, size, stride, size - from) - floorSum(n, size, stride, size - to);
}

/** Σ ⌊(a·i + b) / m⌋ over 0 ≤ i < n, in O(log m): counts lattice points below a line. */
function floorSum(n: number, m: number, a: number, b: number): number {
  const whole = ((n * (n - 1)) / 2) * Math.floor(a / m) + n * Math.floor(b / m);
  const slope = a % m;
  const top = slope * n + (b % m);
  // What is left is counted along the other axis, as in Euclid's algorithm.
  return top < m ? whole : whole + floorSum(Math.floor(top / m), slope, m, top % m);
}

/**
 * The least number from size / φ on that shares no divisor with `size`: steps of the golden ratio
 * fall evenly over a ring however many are taken. @see Weyl 1916
 */
function strideOf(size: number): number {
  let stride = Math.max(1, Math.round(size * 0.6180339887498949));
  while (greatestDivisor(stride, size) > 1) stride++;
  return stride;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
