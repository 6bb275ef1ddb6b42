/**
 * How much of a reward model is length. People often like the longer of two answers, and a model
 * that learns only that looks right on their rankings and is wrong as a judge. Three numbers tell:
 * how far "the longer one wins" would get, how rewards go with length, and how the model does where
 * the shorter answer is the better one.
 */

/** One held-out pair; lengths in tokens of the answers. */
export interface MeasuredPair {
  readonly chosen: number;
  readonly rejected: number;
  readonly chosenLength: number;
  readonly rejectedLength: number;
  /** 1 / pairs of its prompt. */
  readonly weight: number;
}

export interface LengthBias {
  /** Accuracy of "the longer answer wins"; equal lengths are half right. */
  readonly longerWins: number;
  /** Pearson's, of reward and length over all answers; absent when one of them never varies. */
  readonly correlation: number | undefined;
  /** The model's accuracy on pairs whose better answer is the shorter one; absent without any. */
  readonly shorterBetter: number | undefined;
  readonly longerBetter: number | undefined;
}

/** Share of pairs ranked right by their weights; absent without a pair. */
export function pairAccuracy(
  pairs: readonly MeasuredPair[],
  lead: (pair: MeasuredPair) => number = ({ chosen, rejected }) => chosen - rejected,
): number | undefined {
  let [right, all] = [0, 0];
  for (const pair of pairs) {
    const by = lead(pair);
    right += pair.weight * (by > 0 ? 1 : by === 0 ? 0.5 : 0);
    all += pair.weight;
  }
  return all === 0 ? undefined : right / all;
}

/** @param answers rewards and lengths of all held-out answers */
export function measureLengthBias(
  pairs: readonly MeasuredPair[],
  answers: readonly { readonly reward: number; readonly length: number }[],
): LengthBias {
  const excess = (pair: MeasuredPair): number => pair.chosenLength - pair.rejectedLength;
  return {
    longerWins: pairAccuracy(pairs, excess) ?? 0.5,
    correlation: correlation(
      answers.map(({ reward }) => reward),
      answers.map(({ length }) => length),
    ),
    shorterBetter: pairAccuracy(pairs.filter((pair) => excess(pair) < 0)),
    longerBetter: pairAccuracy(pairs.filter((pair) => excess(pair) > 0)),
  };
}

function correlation(x: readonly number[], y: readonly number[]): number | undefined {
  const [mx, my] = [mean(x), mean(y)];
  let [xy, xx, yy] = [0, 0, 0];
  for (const [i, value] of x.entries()) {
    const [dx, dy] = [value - mx, (y[i] as number) - my];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : undefined;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
