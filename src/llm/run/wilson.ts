/** The error bar of a share of right answers, wherever one is measured. */

/** A share and its interval of 95 %. */
export interface Share {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Independent things behind the value. */
  readonly n: number;
}

/** The 97.5 % point of the normal distribution. */
export const Z = 1.959963984540054;

/**
 * Wilson's interval: it stays inside [0, 1] and is honest at both ends.
 * @param successes may hold fractions: ties, means over pairs  @param n at least 1
 * @see Wilson 1927
 */
export function wilson(successes: number, n: number): Share {
  const value = successes / n;
  const centre = (successes + (Z * Z) / 2) / (n + Z * Z);
  const half = (Z * Math.sqrt(n * value * (1 - value) + (Z * Z) / 4)) / (n + Z * Z);
  // At the ends the formula gives exactly 0 and 1, but for rounding.
  const low = successes === 0 ? 0 : Math.max(0, centre - half);
  const high = successes === n ? 1 : Math.min(1, centre + half);
  return { value, low, high, n };
}
