/**
 * Whether a curve shows over-optimisation: gold rises by more than its error, then falls from its
 * peak by more than its error, while the proxy keeps rising. Errors are 95 %.
 */
import { type Estimate, errorOfDifference } from "./estimate.ts";

/** Gold and proxy at one distance from the start model. */
export interface CurvePoint {
  /** √KL, in √nats a reply. */
  readonly sqrtKl: number;
  readonly gold: Estimate;
  readonly proxy: Estimate;
}

export interface Change {
  readonly by: number;
  /** Half of its 95 % interval. */
  readonly error: number;
}

export interface Verdict {
  /** Gold, from the start to its peak. */
  readonly rise: Change;
  /** Gold, from its peak to the end, as a positive number. */
  readonly fall: Change;
  /** Proxy, from gold's peak to the end. */
  readonly proxyRise: Change;
  readonly peakSqrtKl: number;
  /** Index of the peak. */
  readonly peak: number;
  readonly rises: boolean;
  readonly falls: boolean;
  /** All three changes are larger than their errors. */
  readonly holds: boolean;
}

/** @param curve in the order of optimisation, the start model first */
export function judge(curve: readonly CurvePoint[]): Verdict {
  const peak = curve.reduce(
    (best, { gold }, i) => (gold.mean > (curve[best] as CurvePoint).gold.mean ? i : best),
    0,
  );
  const [start, top, end] = [curve[0], curve[peak], curve.at(-1)] as [
    CurvePoint,
    CurvePoint,
    CurvePoint,
  ];
  const rise = change(start.gold, top.gold);
  const fall = change(end.gold, top.gold);
  const proxyRise = change(top.proxy, end.proxy);
  const [rises, falls] = [rise.by > rise.error, fall.by > fall.error];
  const holds = rises && falls && proxyRise.by > proxyRise.error;
  return { rise, fall, proxyRise, peakSqrtKl: top.sqrtKl, peak, rises, falls, holds };
}

function change(from: Estimate, to: Estimate): Change {
  return { by: to.mean - from.mean, error: errorOfDifference(from, to) };
}
