/** How a run ended, as one record: printed as lines that can be searched, or as JSON. */

import { sizeOf } from "../../compute/shape.ts";
import type { ModelConfig } from "../model/config.ts";
import { rewardModelSpecs } from "../model/scalar-head.ts";
import { flopsPerToken } from "../model/size.ts";
import { type DataCard, shareOut } from "../run/data-card.ts";
import { tokensPerStep } from "../run/stage-rates.ts";
import type { RunConfig } from "./complete-config.ts";
import type { LoadedRankings } from "./load-rankings.node.ts";
import type { RewardMetrics } from "./metric-records.node.ts";

export interface RewardResult {
  readonly out: string;
  readonly curve: string;
  readonly stopped: boolean;
  readonly step: number;
  readonly steps: number;
  readonly parameters: number;
  readonly train_prompts: number;
  readonly held_prompts: number;
  readonly cut_prompts: number;
  readonly lost_responses: number;
  /** The last of the training losses, in nats; absent before the first step. */
  readonly loss: number | undefined;
  /** On held-out rankings; absent when it was never measured. */
  readonly accuracy: number | undefined;
  readonly accuracy_low: number | undefined;
  readonly accuracy_high: number | undefined;
  readonly accuracy_by_source: Readonly<Record<string, number>> | undefined;
  /** chosen - rejected, in standard deviations of reference rewards. */
  readonly lead: number | undefined;
  readonly longer_wins: number | undefined;
  readonly length_correlation: number | undefined;
  readonly shorter_better_accuracy: number | undefined;
  readonly longer_better_accuracy: number | undefined;
  /** Of the head on reference answers; scores are shifted and divided by them. */
  readonly reward_mean: number | undefined;
  readonly reward_std: number | undefined;
  readonly skipped: number;
  readonly tokens: number;
  readonly train_seconds: number;
  readonly tok_per_s: number;
  readonly gflops: number;
  readonly flops: number;
  readonly data: readonly DataCard[];
}

/** The parts of a run that its result follows from. */
interface Finished {
  readonly config: RunConfig;
  readonly model: ModelConfig;
  readonly rankings: LoadedRankings;
  readonly step: number;
  readonly metrics: Pick<RewardMetrics, "steps" | "evals">;
  readonly spikes: { readonly skipped: number };
}

/** @param curve path of `reward.svg`  @param stopped the user ended it early */
export function summarise(run: Finished, curve: string, stopped: boolean): RewardResult {
  const { config, model, rankings, step, metrics, spikes } = run;
  const held = metrics.evals.at(-1)?.held;
  const seconds = metrics.steps.reduce((sum, { ms }) => sum + ms, 0) / 1000;
  const tokens = step * tokensPerStep(config);
  const tokPerSec = seconds > 0 ? tokens / seconds : 0;
  const specs = rewardModelSpecs(model);
  return {
    ...{ out: config.out, curve, stopped: stopped && step < config.steps },
    ...{ step, steps: config.steps },
    parameters: specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    train_prompts: rankings.train.length,
    held_prompts: rankings.held.length,
    cut_prompts: rankings.cutPrompts,
    lost_responses: rankings.lostResponses,
    loss: metrics.steps.at(-1)?.loss,
    accuracy: held?.accuracy,
    accuracy_low: held?.low,
    accuracy_high: held?.high,
    accuracy_by_source: held && accuraciesOf(held.sources),
    lead: held?.lead,
    longer_wins: held?.lengthBias.longerWins,
    length_correlation: held?.lengthBias.correlation,
    shorter_better_accuracy: held?.lengthBias.shorterBetter,
    longer_better_accuracy: held?.lengthBias.longerBetter,
    reward_mean: held?.scale.mean,
    reward_std: held?.scale.std,
    skipped: spikes.skipped,
    tokens,
    train_seconds: Number(seconds.toFixed(1)),
    tok_per_s: Math.round(tokPerSec),
    gflops: Number(((tokPerSec * flopsPerRewardToken(model, config.sequenceLen)) / 1e9).toFixed(1)),
    flops: tokens * flopsPerRewardToken(model, config.sequenceLen),
    data: shareOut(
      rankings.origins,
      rankings.origins.map((origin) => origin.train),
    ),
  };
}

function accuraciesOf(
  sources: Readonly<Record<string, { readonly accuracy: number }>>,
): Record<string, number> {
  const rows = Object.entries(sources).map(([name, { accuracy }]) => [name, accuracy] as const);
  return Object.fromEntries(rows);
}

/** Training FLOPs of a token: as for a language model, without its head. */
function flopsPerRewardToken(model: ModelConfig, T: number): number {
  return flopsPerToken(model, T).causalTotal - 6 * model.vocabSize * model.nEmbd;
}

/** One `key: value` a line after a `---`; values that are absent are left out. */
export function renderResult({ accuracy_by_source, data: _, ...result }: RewardResult): string {
  const sources = Object.entries(accuracy_by_source ?? {}).map(([name, accuracy]) => {
    return [`accuracy_on_${name}`, accuracy] as const;
  });
  const lines = [...Object.entries(result), ...sources].flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}: ${show(value)}`],
  );
  return `---\n${lines.join("\n")}\n`;
}

function show(value: string | number | boolean): string {
  if (typeof value !== "number" || Number.isInteger(value)) return String(value);
  return String(Number(value.toFixed(4)));
}
