/** How a run ended, as one record: printed as lines that can be searched, or as JSON. */

import type { RunMixture } from "../data/prepare/run-mixture.ts";
import type { Manifest } from "../data/shards/manifest.ts";
import type { ModelConfig } from "../model/config.ts";
import { countParameters, flopsPerToken } from "../model/size.ts";
import { type DataCard, shareOut } from "../run/data-card.ts";
import { tokensPerStep } from "../run/stage-rates.ts";
import type { RunConfig } from "./complete-config.ts";
import type { EvalRecord, StepRecord } from "./metric-records.node.ts";

export interface PretrainResult {
  readonly out: string;
  readonly curve: string;
  readonly stopped: boolean;
  readonly step: number;
  readonly steps: number;
  readonly tokens: number;
  readonly parameters: number;
  /** The last of the training losses, in nats; absent before the first step. */
  readonly loss: number | undefined;
  /** On held-out text; absent when it was never measured. */
  readonly val_bpb: number | undefined;
  readonly val_loss: number | undefined;
  readonly skipped: number;
  readonly train_seconds: number;
  readonly tok_per_s: number;
  readonly gflops: number;
  readonly data: readonly DataCard[];
}

/** The parts of a run that its result follows from. */
interface Finished {
  readonly config: RunConfig;
  readonly model: ModelConfig;
  readonly step: number;
  readonly metrics: {
    readonly steps: readonly StepRecord[];
    readonly evals: readonly EvalRecord[];
  };
  readonly spikes: { readonly skipped: number };
  readonly data: { readonly manifest: Manifest };
  readonly mixture: RunMixture;
}

/** @param curve path of `loss.svg`  @param stopped the user ended it early */
export function summarise(run: Finished, curve: string, stopped: boolean): PretrainResult {
  const { config, model, step, metrics, spikes } = run;
  const seconds = metrics.steps.reduce((sum, { ms }) => sum + ms, 0) / 1000;
  const tokens = step * tokensPerStep(config);
  const tokPerSec = seconds > 0 ? tokens / seconds : 0;
  const evaluated = metrics.evals.at(-1);
  return {
    ...{ out: config.out, curve, stopped: stopped && step < config.steps },
    ...{ step, steps: config.steps, tokens, parameters: countParameters(model).total },
    loss: metrics.steps.at(-1)?.loss,
    val_bpb: evaluated?.bpb,
    val_loss: evaluated?.valLoss,
    skipped: spikes.skipped,
    train_seconds: Number(seconds.toFixed(1)),
    tok_per_s: Math.round(tokPerSec),
    gflops: Number(((tokPerSec * flopsPerToken(model).causalTotal) / 1e9).toFixed(1)),
    data: shareOut(
      run.data.manifest.sources,
      run.mixture.rows.map(({ realised }) => realised ?? 0),
    ),
  };
}

/** One `key: value` a line after a `---`; values that are absent are left out. */
export function renderResult({ data: _, ...result }: PretrainResult): string {
  const lines = Object.entries(result).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const short = key === "loss" || key.startsWith("val_");
    return [`${key}: ${short ? (value as number).toFixed(4) : value}`];
  });
  return `---\n${lines.join("\n")}\n`;
}
