/**
 * The name a user probably meant: the smallest edit distance, if it is small enough to suggest.
 */

/**
 * Edits (insert, delete, replace, swap neighbours) that turn `a` into `b`.
 * @see Damerau 1964, in the optimal string alignment form
 */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(replaced, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, (before[j - 2] ?? 0) + 1);
      row.push(best);
    }
    before = above;
    above = row;
  }
  return above[b.length] ?? 0;
}

/** Below this length a beginning is near to everything. */
const MIN_BEGINNING = 3;

/** Edits to a name, or to its beginning: "bacth" is near to "batchSize". */
function distanceTo(name: string, candidate: string): number {
  const whole = editDistance(name, candidate);
  if (name.length < MIN_BEGINNING) return whole;
  return Math.min(whole, editDistance(name, candidate.slice(0, name.length)));
}

/** @returns the closest of `names`, or `undefined` when none is within a third of the length. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let limit = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of names) {
    const distance = distanceTo(name.toLowerCase(), candidate.toLowerCase());
    if (distance >= limit) continue;
    nearest = candidate;
    limit = distance;
  }
  return nearest;
}

/** ` Did you mean "x"?` when a name is near, else what `names` are, for the end of an error. */
export function suggestName(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names);
  if (nearest !== undefined) return `Did you mean "${nearest}"?`;
  return `Known: ${names.join(", ")}.`;
}
