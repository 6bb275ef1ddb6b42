/**
 * What a reward model does on rankings it never saw. A prompt counts once, as in the loss: its
 * accuracy is the share of its pairs, and the interval is over prompts, since pairs of one prompt
 * share their answers.
 */
import type { RewardScale, RewardScorer } from "../inference/score.ts";
import { wilson } from "../run/wilson.ts";
import {
  type LengthBias,
  type MeasuredPair,
  mean,
  measureLengthBias,
  pairAccuracy,
} from "./length-bias.ts";
import type { RankedRows } from "./ranked-rows.ts";

export interface SourceAccuracy {
  readonly accuracy: number;
  readonly prompts: number;
}

export interface Measurement {
  readonly accuracy: number;
  /** 95 %, Wilson 1927, over prompts: wider than needed where a prompt has several pairs. */
  readonly low: number;
  readonly high: number;
  readonly prompts: number;
  readonly pairs: number;
  /** Mean over prompts of -ln σ(chosen - rejected). */
  readonly loss: number;
  /** Mean over prompts of chosen - rejected, in standard deviations of reference rewards. */
  readonly lead: number;
  readonly sources: Readonly<Record<string, SourceAccuracy>>;
  readonly lengthBias: LengthBias;
  /** Of the head's own numbers on reference answers, the best of each prompt. */
  readonly scale: RewardScale;
  readonly histogram: Histogram;
}

/** Counts of scaled rewards in equal bins from `low` to `high`; the outer ones take the rest. */
export interface Histogram {
  readonly low: number;
  readonly high: number;
  readonly better: readonly number[];
  readonly worse: readonly number[];
}

const [LOW, HIGH, BINS] = [-5, 3, 32] as const;

/** @param scorer without a scale  @param held at least one ranking */
export async function measure(
  scorer: RewardScorer,
  held: readonly RankedRows[],
): Promise<Measurement> {
  const rewards = await scorer.score(held.flatMap(({ rows }) => rows));
  return summariseRewards(held, rewards);
}

/** @param rewards of all rows of `held`, in their order, as the head gives them */
export function summariseRewards(
  held: readonly RankedRows[],
  rewards: ArrayLike<number>,
): Measurement {
  let at = 0;
  const scored = held.map((ranking) => {
    const own = ranking.rows.map(() => rewards[at++] as number);
    return { ranking, own, pairs: pairsOf(ranking, own) };
  });
  const pairs = scored.flatMap((one) => one.pairs);
  const accuracy = pairAccuracy(pairs) ?? 0.5;
  const scale = scaleOf(
    scored.flatMap(({ ranking, own }) => ranking.references.map((i) => own[i] as number)),
  );
  const answers = scored.flatMap(({ ranking, own }) =>
    own.map((reward, i) => ({ reward, length: ranking.lengths[i] as number })),
  );
  const interval = wilson(accuracy * held.length, held.length);
  return {
    accuracy,
    ...{ low: interval.low, high: interval.high },
    ...{ prompts: held.length, pairs: pairs.length },
    loss: weighted(pairs, (lead) => Math.log1p(Math.exp(-Math.abs(lead))) + Math.max(0, -lead)),
    lead: weighted(pairs, (lead) => lead) / scale.std,
    sources: bySource(scored),
    lengthBias: measureLengthBias(pairs, answers),
    scale,
    histogram: countRewards(scored, scale),
  };
}

interface Scored {
  readonly ranking: RankedRows;
  readonly own: readonly number[];
  readonly pairs: readonly MeasuredPair[];
}

function pairsOf({ pairs, lengths }: RankedRows, own: readonly number[]): MeasuredPair[] {
  return pairs.map(({ chosen, rejected }) => ({
    chosen: own[chosen] as number,
    rejected: own[rejected] as number,
    chosenLength: lengths[chosen] as number,
    rejectedLength: lengths[rejected] as number,
    weight: 1 / pairs.length,
  }));
}

function weighted(pairs: readonly MeasuredPair[], of: (lead: number) => number): number {
  const weights = pairs.reduce((sum, { weight }) => sum + weight, 0);
  const total = pairs.reduce((sum, pair) => sum + pair.weight * of(pair.chosen - pair.rejected), 0);
  return total / Math.max(weights, Number.MIN_VALUE);
}

/** One answer, or equal ones, have no spread: then rewards are only shifted. */
function scaleOf(references: readonly number[]): RewardScale {
  const centre = mean(references);
  const std = Math.sqrt(mean(references.map((reward) => (reward - centre) ** 2)));
  return { mean: centre, std: std > 0 ? std : 1 };
}

function bySource(scored: readonly Scored[]): Record<string, SourceAccuracy> {
  const groups = Map.groupBy(scored, ({ ranking }) => ranking.source);
  const rows = [...groups].map(([name, own]) => {
    const accuracy = pairAccuracy(own.flatMap(({ pairs }) => pairs)) ?? 0.5;
    return [name, { accuracy, prompts: own.length }] as const;
  });
  return Object.fromEntries(rows);
}

/** `better`: references; `worse`: all others. */
function countRewards(scored: readonly Scored[], { mean: centre, std }: RewardScale): Histogram {
  const [better, worse] = [new Array<number>(BINS).fill(0), new Array<number>(BINS).fill(0)];
  for (const { ranking, own } of scored) {
    for (const [i, reward] of own.entries()) {
      const place = (((reward - centre) / std - LOW) / (HIGH - LOW)) * BINS;
      const bin = Math.min(BINS - 1, Math.max(0, Math.floor(place)));
      const counts = ranking.references.includes(i) ? better : worse;
      counts[bin] = (counts[bin] as number) + 1;
    }
  }
  return { low: LOW, high: HIGH, better, worse };
}
