/**
 * Which rankings each batch holds, and the arrays of a batch. Whole rankings fill the B rows of a
 * batch in a shuffled order, a new one each epoch; the plan follows from the seed and from how many
 * answers each ranking has, so that a run that goes on finds its batches again.
 */
import { createPermutation } from "../data/sampling/permutation.ts";
import { padRows } from "../inference/row-batches.ts";
import { lastPositions } from "../inference/score.ts";
import type { StepInputs } from "../optim/compile-train-step.ts";
import type { RankedRows } from "./ranked-rows.ts";

/** Indices of rankings, at most B rows in all. */
export type RowPlan = readonly number[];

/** Separates this order from others of the same seed. */
const STREAM = 0x72616e6b;

/**
 * @param sizes rows of each ranking, none above B
 * @param want batches to plan, over as many epochs as they need; absent: those of `epochs`
 */
export function planBatches(
  sizes: readonly number[],
  B: number,
  seed: number,
  { epochs, want }: { readonly epochs: number; readonly want?: number | undefined },
): RowPlan[] {
  const plan: RowPlan[] = [];
  const isDone = (epoch: number): boolean =>
    sizes.length === 0 || (want === undefined ? epoch >= epochs : plan.length >= want);
  for (let epoch = 0; !isDone(epoch); epoch++) plan.push(...planEpoch(sizes, B, seed, epoch));
  return want === undefined ? plan : plan.slice(0, want);
}

/** A ranking that does not fit any more opens the next batch. */
function planEpoch(sizes: readonly number[], B: number, seed: number, epoch: number): RowPlan[] {
  const order = createPermutation(sizes.length, seed, STREAM, epoch);
  const batches: number[][] = [];
  let room = 0;
  for (let i = 0; i < sizes.length; i++) {
    const index = order(i);
    const size = sizes[index] as number;
    if (size > room) {
      batches.push([]);
      room = B;
    }
    batches.at(-1)?.push(index);
    room -= size;
  }
  return batches;
}

export interface RewardBatchShape {
  readonly B: number;
  readonly T: number;
  /** Answers of one ranking at most. */
  readonly maxResponses: number;
}

/** Pairs that a batch may hold: all rows in rankings of the largest size. */
export function mostPairs({ B, maxResponses }: RewardBatchShape): number {
  const most = Math.min(B, maxResponses);
  return Math.ceil(B / most) * ((most * (most - 1)) / 2);
}

/**
 * The inputs of `bradleyTerry`. No rankings give zeros, which weigh nothing.
 * @param marginScale times the margins that the rankings state; 0 = none
 */
export function fillBatch(
  rankings: readonly RankedRows[],
  shape: RewardBatchShape,
  marginScale: number,
): StepInputs {
  const { B, T } = shape;
  const P = mostPairs(shape);
  const [chosen, rejected] = [new Int32Array(P), new Int32Array(P)];
  const [weight, margin] = [new Float32Array(P), new Float32Array(P)];
  const rows: Int32Array[] = [];
  let at = 0;
  for (const ranking of rankings) {
    for (const pair of ranking.pairs) {
      chosen[at] = rows.length + pair.chosen;
      rejected[at] = rows.length + pair.rejected;
      weight[at] = 1 / ranking.pairs.length;
      margin[at] = marginScale * pair.margin;
      at++;
    }
    rows.push(...ranking.rows);
  }
  const arrays = { chosen, rejected, weight, margin };
  return { tokens: padRows(rows, B, T), last: lastPositions(rows, B, T), ...arrays };
}
