/**
 * The mixture of a prepared folder over one run: weights from the preset, then temperature,
 * schedule and caps, as a plan of rows; and the same as the rows of a table. Pure.
 */
import type { EmptySlot, MixtureRow } from "../mixture/mixture-row.ts";
import { type MixturePlan, rowsOfSource } from "../mixture/plan.ts";
import { planMixture } from "../mixture/plan-mixture.ts";
import { applyPreset, type PresetWeights } from "../mixture/presets.ts";
import { realisedProportions } from "../sampling/schedule-rows.ts";
import { type Manifest, sideTotals } from "../shards/manifest.ts";

/** A run in rows. */
export interface RunRows {
  readonly rows: number;
  readonly rowsPerStep: number;
  /** Rows of one epoch of each source, in the manifest's order. */
  readonly epochRows: readonly number[];
}

/** @throws CONFIG when schedule or caps leave some row without a source */
export function planRun(manifest: Manifest, run: RunRows): MixturePlan {
  const { sources, mixture } = manifest;
  const { temperature, schedule } = mixture;
  return planMixture({
    names: sources.map(({ name }) => name),
    weights: weightsOf(manifest).weights,
    mostRows: sources.map(({ maxEpochs }, i) => {
      return maxEpochs === undefined ? undefined : maxEpochs * (run.epochRows[i] as number);
    }),
    ...{ rows: run.rows, rowsPerStep: run.rowsPerStep },
    ...(temperature === undefined ? {} : { temperature }),
    ...(schedule === undefined ? {} : { schedule }),
  });
}

/** Sources without training text get nothing, whatever they weigh. */
function weightsOf({ sources, mixture }: Manifest): PresetWeights {
  const rows = sources.map((source) => {
    const { name, domain, weight } = source;
    const { textBytes } = sideTotals(source, "train");
    return { name, domain, weight: textBytes > 0 ? weight : 0, bytes: textBytes };
  });
  return applyPreset(mixture.preset ?? "as-given", rows);
}

/** What a run asks of each source and what it draws. */
export interface RunMixture {
  readonly rows: readonly MixtureRow[];
  readonly emptySlots: readonly EmptySlot[];
}

export function describeRun(manifest: Manifest, plan: MixturePlan, run: RunRows): RunMixture {
  const realised = realisedProportions(plan);
  const asked = askedShares(manifest, run);
  const rows = manifest.sources.map((source, i): MixtureRow => {
    const { name, domain, licence, language } = source;
    const { tokens, textBytes } = sideTotals(source, "train");
    const share = realised[i] as number;
    const epochs = (share * run.rows) / Math.max(1, run.epochRows[i] as number);
    return {
      ...{ name, domain, licence, language, requested: asked[i] as number, realised: share },
      ...{ bytes: textBytes, tokens, epochs },
    };
  });
  const empty = weightsOf(manifest).slots.filter(({ sources }) => sources.length === 0);
  return { rows, emptySlots: empty };
}

/** Mean shares over the run as they would be without caps. */
function askedShares({ sources, ...rest }: Manifest, run: RunRows): number[] {
  const uncapped = sources.map(({ maxEpochs: _, ...source }) => source);
  const plan = planRun({ sources: uncapped, ...rest }, run);
  return plan.names.map((_, i) => rowsOfSource(plan, i, plan.rows) / plan.rows);
}

/** One pass over everything: what `data prepare` shows when no run is known yet. */
export function onePass(epochRows: readonly number[]): RunRows {
  return { rows: epochRows.reduce((sum, rows) => sum + rows, 0), rowsPerStep: 1, epochRows };
}
