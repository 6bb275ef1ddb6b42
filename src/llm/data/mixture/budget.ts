/**
 * A budget of bytes over sources of different sizes: each gets its share by weight, one that is
 * smaller than its share stays whole and leaves the rest to the others.
 */

/**
 * @param sizes bytes of each source
 * @param weights of each; one of 0 gets nothing
 * @returns bytes of each, at most its size; their sum is the budget, or everything there is
 */
export function shareBytes(
  sizes: readonly number[],
  weights: readonly number[],
  maxBytes: number,
): number[] {
  const quotas = sizes.map(() => 0);
  const asked = [...sizes.keys()].filter((i) => (weights[i] as number) > 0);
  const fill = (i: number): number => (sizes[i] as number) / (weights[i] as number);
  let bytes = maxBytes;
  let weight = asked.reduce((sum, i) => sum + (weights[i] as number), 0);
  // From the smallest in proportion to its weight, so that what it spares goes on.
  for (const i of asked.sort((a, b) => fill(a) - fill(b))) {
    const quota = Math.min(sizes[i] as number, (bytes * (weights[i] as number)) / weight);
    quotas[i] = quota;
    bytes -= quota;
    weight -= weights[i] as number;
  }
  return quotas;
}

/** @returns the share of each source to read, 0 … 1, so that `maxBytes` are read in all */
export function readFractions(
  sizes: readonly number[],
  weights: readonly number[],
  maxBytes: number,
): number[] {
  const quotas = shareBytes(sizes, weights, maxBytes);
  return quotas.map((quota, i) => ((sizes[i] as number) > 0 ? quota / (sizes[i] as number) : 1));
}
