/** How sure a count makes us: intervals of a share, for tables that print zeros. */

/** @returns Wilson's 95 % interval of k successes in n trials, within 0..1; [0, 1] of no trials */
export function wilson(k: number, n: number): readonly [low: number, high: number] {
  if (n === 0) return [0, 1];
  const z = 1.959963984540054;
  const p = k / n;
  const centre = p + (z * z) / (2 * n);
  const spread = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  const scale = 1 + (z * z) / n;
  return [Math.max(0, (centre - spread) / scale), Math.min(1, (centre + spread) / scale)];
}

/**
 * 95 % upper bound of a rate: after zero successes in n trials 1 − 0.05^(1/n), close to 3/n (rule of
 * three, exact); else Wilson's.
 */
export function upperBound(k: number, n: number): number {
  if (n === 0) return 1;
  return k === 0 ? 1 - 0.05 ** (1 / n) : wilson(k, n)[1];
}
