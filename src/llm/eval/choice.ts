/**
 * Multiple choice without asking for a letter: each choice is written out, and the one whose own
 * tokens the model finds likeliest on average is its answer. What all versions share, at their
 * beginning (choices after one query) or at their end (one ending after several beginnings), is not
 * an answer and does not count, or counts alone.
 *
 * @see Li et al. 2024 (DataComp-LM), the CORE tasks
 */

/** Tokens [start, end) of a row are what is scored; start is at least 1. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

type Row = readonly number[];

/** @param rows the same beginning, then each its own choice  @returns where each choice lies */
export function choiceSpans(rows: readonly Row[]): Span[] {
  const shared = sharedLength(rows, (row, i) => row[i]);
  return rows.map((row) => span(row, shared));
}

/** @param rows each its own beginning, then the same end  @returns where the end lies in each */
export function schemaSpans(rows: readonly Row[]): Span[] {
  const shared = sharedLength(rows, (row, i) => row[row.length - 1 - i]);
  return rows.map((row) => span(row, row.length - shared));
}

/** At least one token is scored, and the first of a row never: nothing comes before it. */
function span({ length }: Row, start: number): Span {
  return { start: Math.max(1, Math.min(start, length - 1)), end: length };
}

function sharedLength(
  rows: readonly Row[],
  at: (row: Row, i: number) => number | undefined,
): number {
  const [first = [], ...rest] = rows;
  const most = Math.min(...rows.map(({ length }) => length));
  let shared = 0;
  while (shared < most && rest.every((row) => at(row, shared) === at(first, shared))) shared++;
  return shared;
}

/** @param logprobs [i] is of token i + 1  @returns nats per token of the span */
export function meanLoss(logprobs: Float32Array, { start, end }: Span): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum -= logprobs[i - 1] as number;
  return sum / (end - start);
}

/** @returns the index of the lowest loss, the first one of equal ones */
export function lowest(losses: readonly number[]): number {
  let best = 0;
  for (const [i, loss] of losses.entries()) if (loss < (losses[best] as number)) best = i;
  return best;
}

/** @returns accuracy with chance at 0 and perfect at 1; worse than chance is below 0 */
export function centred(accuracy: number, chance: number): number {
  return (accuracy - chance) / (1 - chance);
}
