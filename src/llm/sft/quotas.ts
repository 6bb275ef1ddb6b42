/**
 * How many conversations an epoch takes of each source: shares by weight, but of a source no more
 * than it has; what it lacks goes to the others, by their weights.
 */

/**
 * @param weights relative, 0 or more  @param available conversations there are; Infinity = any
 * @param total what is asked for; Infinity = all that there are
 * @returns whole numbers; their sum is `total`, or all that there are if that is less
 */
export function quotasOf(
  weights: readonly number[],
  available: readonly number[],
  total: number,
): number[] {
  const usable = weights.map((weight, i) => (weight > 0 ? (available[i] as number) : 0));
  const all = usable.reduce((sum, count) => sum + count, 0);
  if (all <= total) return usable;
  const shares = usable.map(() => 0);
  const full = new Set(usable.flatMap((count, i) => (count === 0 ? [i] : [])));
  for (;;) {
    const taken = [...full].reduce((sum, i) => sum + (usable[i] as number), 0);
    const open = weights.reduce((sum, weight, i) => (full.has(i) ? sum : sum + weight), 0);
    for (const i of shares.keys())
      shares[i] = full.has(i)
        ? (usable[i] as number)
        : ((total - taken) * (weights[i] as number)) / open;
    const over = [...shares.keys()].filter(
      (i) => !full.has(i) && (shares[i] as number) > (usable[i] as number),
    );
    if (over.length === 0) return roundToSum(shares, total);
    for (const i of over) full.add(i);
  }
}

/** Rounds down, then gives what is missing to the largest rests. */
function roundToSum(shares: readonly number[], total: number): number[] {
  const counts = shares.map(Math.floor);
  const missing = total - counts.reduce((sum, count) => sum + count, 0);
  const byRest = [...shares.keys()].sort((a, b) => rest(shares, b) - rest(shares, a) || a - b);
  for (const i of byRest.slice(0, missing)) counts[i] = (counts[i] as number) + 1;
  return counts;
}

function rest(shares: readonly number[], i: number): number {
  return (shares[i] as number) % 1;
}
