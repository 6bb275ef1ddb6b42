/**
 * How gold follows the distance d = √KL: for best-of-n R = d·(α - β·d), for reinforcement learning
 * R = d·(α - β·ln d), with R = 0 at the start model. Both are linear in α and β, so that weighted
 * least squares has a closed form.
 *
 * @see Gao, Schulman, Hilton 2022, "Scaling laws for reward model overoptimization", §3.1
 */

export type FormName = "best-of-n" | "rl";

export interface FitPoint {
  /** √KL, above 0. */
  readonly d: number;
  /** Gold above that of the start model. */
  readonly gain: number;
  readonly se: number;
}

export interface Fit {
  readonly form: FormName;
  readonly alpha: number;
  readonly beta: number;
  /** Share of the weighted variance of the gains that the curve explains. */
  readonly r2: number;
  /** Where the fitted curve is highest; absent when it never falls. */
  readonly peak: number | undefined;
}

const bends: Readonly<Record<FormName, (d: number) => number>> = {
  "best-of-n": (d) => d,
  rl: (d) => Math.log(d),
};

/** Errors are at least this, or a point that is known too well would be the only one that counts. */
const LEAST_ERROR = 1e-3;

/** @returns undefined for fewer than two points */
export function fitForm(form: FormName, points: readonly FitPoint[]): Fit | undefined {
  if (points.length < 2) return undefined;
  const rows = points.map(({ d, gain, se }) => {
    const weight = 1 / Math.max(se, LEAST_ERROR) ** 2;
    return { a: d, b: -d * bends[form](d), gain, weight };
  });
  const sum = (of: (row: (typeof rows)[number]) => number): number =>
    rows.reduce((total, row) => total + row.weight * of(row), 0);
  const [aa, ab, bb] = [sum(({ a }) => a * a), sum(({ a, b }) => a * b), sum(({ b }) => b * b)];
  const [ar, br] = [sum(({ a, gain }) => a * gain), sum(({ b, gain }) => b * gain)];
  const determinant = aa * bb - ab * ab;
  if (!(determinant > 1e-12 * aa * bb)) return undefined;
  const alpha = (ar * bb - br * ab) / determinant;
  const beta = (aa * br - ab * ar) / determinant;
  const mean = sum(({ gain }) => gain) / sum(() => 1);
  const left = sum(({ a, b, gain }) => (gain - alpha * a - beta * b) ** 2);
  const r2 =
    1 -
    left /
      Math.max(
        sum(({ gain }) => (gain - mean) ** 2),
        Number.MIN_VALUE,
      );
  return { form, alpha, beta, r2, peak: peakOf(form, alpha, beta) };
}

/** Gold above the start model at distance `d`, as the fit has it. */
export function fittedGain({ form, alpha, beta }: Fit, d: number): number {
  return d === 0 ? 0 : d * (alpha - beta * bends[form](d));
}

function peakOf(form: FormName, alpha: number, beta: number): number | undefined {
  if (beta <= 0) return undefined;
  const peak = form === "rl" ? Math.exp(alpha / beta - 1) : alpha / (2 * beta);
  return peak > 0 ? peak : undefined;
}
