/**
 * One number for a suite of sets: the mean of their centred accuracies, where chance is 0 and a set
 * without choices is centred already. Sets are independent samples, so their variances add.
 *
 * @see Li et al. 2024 (DataComp-LM), the CORE metric
 */
import { Z } from "../run/wilson.ts";
import type { MeasuredRow } from "./measure.ts";

/** @returns undefined for fewer than two shares */
export function meanCentred(rows: readonly MeasuredRow[]): MeasuredRow | undefined {
  const shares = rows.filter(({ unit }) => unit === "share");
  if (shares.length < 2) return undefined;
  const centred = shares.map((row) => row.centred ?? row.value);
  const value = centred.reduce((sum, one) => sum + one, 0) / shares.length;
  const variance = shares.reduce((sum, row) => sum + standardError(row) ** 2, 0);
  const half = (Z * Math.sqrt(variance)) / shares.length;
  return {
    ...{ name: `mean of ${shares.length} centred accuracies`, value },
    ...{ low: value - half, high: value + half, interval: "combined" },
    n: shares.reduce((sum, { n }) => sum + n, 0),
    ...{ unit: "share", chance: 0, examples: [] },
  };
}

/** Of the centred accuracy, from the width of the accuracy's own interval. */
function standardError({ low, high, chance = 0 }: MeasuredRow): number {
  return (high - low) / (2 * Z) / (1 - chance);
}
