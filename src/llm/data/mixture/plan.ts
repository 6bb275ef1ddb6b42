/**
 * The mixture over a run: which share of the rows comes from which source, from the first row of
 * training to the last. Shares are straight lines between a few points, so the rows of a source
 * before any row are a closed form, and a sampler needs no memory of what it has drawn.
 *
 * Invariants: segments join without gaps, `segments[0].fromRow` is 0 and the last `toRow` is the
 * number of rows; in every row the shares are at least 0 and sum to 1.
 */

/** Rows [fromRow, toRow); indices of the lists are those of `MixturePlan.names`. */
export interface MixtureSegment {
  readonly fromRow: number;
  readonly toRow: number;
  /** Shares at `fromRow`; those between lie on the line to `sharesAtEnd`. */
  readonly sharesAtStart: readonly number[];
  readonly sharesAtEnd: readonly number[];
  /** Rows of each source before `fromRow`, as real numbers: their sum is `fromRow`. */
  readonly rowsBefore: readonly number[];
}

export interface MixturePlan {
  readonly names: readonly string[];
  readonly rows: number;
  readonly segments: readonly MixtureSegment[];
}

/**
 * Rows of source `i` before global row `row` (0 … rows), as a real number: a sampler that rounds
 * it is never further than one row from what was asked. O(1) for a fixed plan.
 */
export function rowsOfSource(plan: MixturePlan, i: number, row: number): number {
  const segment = segmentAt(plan, row);
  return (segment.rowsBefore[i] as number) + rowsWithin(segment, i, row - segment.fromRow);
}

/** The segment that holds `row`; the last one for the end of the run. */
function segmentAt(plan: MixturePlan, row: number): MixtureSegment {
  const found = plan.segments.find(({ toRow }) => row < toRow) ?? plan.segments.at(-1);
  return found as MixtureSegment;
}

/** Integral of a share over the first `n` rows of a segment. */
export function rowsWithin(
  segment: Omit<MixtureSegment, "rowsBefore">,
  i: number,
  n: number,
): number {
  const start = segment.sharesAtStart[i] as number;
  const slope = ((segment.sharesAtEnd[i] as number) - start) / (segment.toRow - segment.fromRow);
  return n * start + (slope * n * n) / 2;
}
