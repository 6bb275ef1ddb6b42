/**
 * What an update learns from: rows of tokens with numbers on each target and on each row, and how
 * they become a padded batch. Target i of a row is its token i + 1.
 *
 * Invariant: where `mask` is 0 the batch has no target and every number is 0, so that prompts,
 * tool results and padding get no gradient.
 */
import type { HostArray } from "../../compute/backend.ts";

export interface LearnRow {
  readonly ids: Int32Array;
  /** 1 where the target is learned; one element fewer than `ids`. */
  readonly mask: Uint8Array;
  /** By input name, as long as `mask`. */
  readonly perToken: Readonly<Record<string, Float32Array>>;
  /** By input name; `units` among them. */
  readonly perRow: Readonly<Record<string, number>>;
}

/** Rows that belong together and stay neighbours: one sample, or the two texts of a pair. */
export type Bundle = readonly LearnRow[];

export interface RowShape {
  /** Rows and positions of the batch. */
  readonly B: number;
  readonly T: number;
}

/** @param rows at most B, each of at most T targets; at least one, which names the inputs */
export function fillBatch(
  rows: readonly LearnRow[],
  { B, T }: RowShape,
): Record<string, HostArray> {
  const tokens = new Int32Array(B * T);
  const targets = new Int32Array(B * T).fill(-1);
  const { perToken = {}, perRow = {} } = rows[0] ?? {};
  const tokenInputs = named(Object.keys(perToken), B * T);
  const rowInputs = named(Object.keys(perRow), B);
  for (const [b, row] of rows.entries()) {
    const count = row.mask.length;
    tokens.set(row.ids.subarray(0, count), b * T);
    for (let t = 0; t < count; t++) {
      if (row.mask[t] !== 1) continue;
      targets[b * T + t] = row.ids[t + 1] as number;
      for (const [name, values] of Object.entries(row.perToken))
        (tokenInputs[name] as Float32Array)[b * T + t] = values[t] as number;
    }
    for (const [name, value] of Object.entries(row.perRow))
      (rowInputs[name] as Float32Array)[b] = value;
  }
  return { tokens, targets, ...tokenInputs, ...rowInputs };
}

function named(names: readonly string[], size: number): Record<string, Float32Array> {
  return Object.fromEntries(names.map((name) => [name, new Float32Array(size)]));
}

/**
 * Leaves out bundles that cannot move a weight; what they add to the divisor goes to those that
 * stay, in proportion to their own part, so that an update from all of them is the same and one
 * from some of them has its share.
 */
export function withoutSilent(bundles: readonly Bundle[]): Bundle[] {
  const kept = bundles.filter((bundle) => !bundle.every(isSilent));
  const scale = unitsOf(bundles) / unitsOf(kept);
  return kept.map((bundle) =>
    bundle.map((row) => ({
      ...row,
      perRow: { ...row.perRow, units: (row.perRow.units as number) * scale },
    })),
  );
}

/** Nothing to learn, or an advantage of 0 where advantages are all that moves weights. */
function isSilent({ mask, perToken, perRow }: LearnRow): boolean {
  if (!mask.includes(1)) return true;
  if (perRow.advantages !== undefined) return perRow.advantages === 0;
  return perToken.advantages?.every((advantage) => advantage === 0) === true;
}

function unitsOf(bundles: readonly Bundle[]): number {
  return bundles.flat().reduce((sum, { perRow }) => sum + (perRow.units as number), 0);
}
