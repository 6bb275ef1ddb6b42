/** How a run ended, as one record: printed as lines that can be searched, or as JSON. */
import type { ModelConfig } from "../model/config.ts";
import { countParameters, flopsPerToken } from "../model/size.ts";
import { type DataCard, shareOut } from "../run/data-card.ts";
import { tokensPerStep } from "../run/stage-rates.ts";
import type { RunConfig } from "./complete-config.ts";
import type { SourceRow } from "./deck.ts";
import type { EvalRecord, StepRecord } from "./metric-records.node.ts";
import type { RunText } from "./text.node.ts";

export interface SftResult {
  readonly out: string;
  /** The last checkpoint's folder; absent when there is none. */
  readonly checkpoint: string | undefined;
  readonly curve: string;
  readonly stopped: boolean;
  readonly step: number;
  readonly steps: number;
  readonly conversations: number;
  readonly tokens: number;
  readonly learned_tokens: number;
  readonly parameters: number;
  readonly trained_parameters: number;
  /** The last of the training losses, in nats; absent before the first step. */
  readonly loss: number | undefined;
  /** On held-out conversations before the first step and now. */
  readonly val_loss_before: number | undefined;
  readonly val_loss: number | undefined;
  /** Bits per byte of held-out text, where there is a share of text. */
  readonly val_bpb_before: number | undefined;
  readonly val_bpb: number | undefined;
  readonly skipped: number;
  readonly train_seconds: number;
  readonly tok_per_s: number;
  readonly flops: number;
  readonly data: readonly DataCard[];
}

/** The parts of a run that its result follows from. */
interface Finished {
  readonly config: RunConfig;
  readonly model: ModelConfig;
  readonly step: number;
  readonly trainedParameters: number;
  readonly conversations: number;
  readonly checkpoint: string | undefined;
  readonly metrics: {
    readonly steps: readonly StepRecord[];
    readonly evals: readonly EvalRecord[];
  };
  readonly spikes: { readonly skipped: number };
  readonly sources: readonly SourceRow[];
  readonly text: Pick<RunText, "share" | "cards"> | undefined;
}

/** @param curve path of `loss.svg`  @param stopped the user ended it early */
export function summarise(run: Finished, curve: string, stopped: boolean): SftResult {
  const { config, model, step, metrics, spikes, conversations, checkpoint } = run;
  const seconds = metrics.steps.reduce((sum, { ms }) => sum + ms, 0) / 1000;
  const tokens = step * tokensPerStep(config);
  return {
    ...{ out: config.out, checkpoint, curve, stopped: stopped && step < config.steps },
    ...{ step, steps: config.steps, conversations, tokens },
    learned_tokens: metrics.steps.reduce((sum, { learned }) => sum + learned, 0),
    parameters: countParameters(model).total,
    trained_parameters: run.trainedParameters,
    loss: metrics.steps.at(-1)?.loss,
    val_loss_before: metrics.evals.find((record) => record.step === 0)?.valLoss,
    val_loss: metrics.evals.at(-1)?.valLoss,
    val_bpb_before: metrics.evals.find((record) => record.step === 0)?.bpb,
    val_bpb: metrics.evals.at(-1)?.bpb,
    skipped: spikes.skipped,
    train_seconds: Number(seconds.toFixed(1)),
    tok_per_s: seconds > 0 ? Math.round(tokens / seconds) : 0,
    flops: tokens * flopsPerToken(model, config.sequenceLen).causalTotal,
    data: dataOf(run),
  };
}

/** Conversations by their tokens, text by its rows. */
function dataOf({ sources, text }: Pick<Finished, "sources" | "text">): DataCard[] {
  const amounts = sources.map(({ tokens }) => tokens);
  const own = shareOut(sources, amounts);
  if (text === undefined) return own;
  const scale = (cards: readonly DataCard[], by: number): DataCard[] =>
    cards.map((card) => ({ ...card, share: by * card.share }));
  return [...scale(own, 1 - text.share), ...scale(text.cards, text.share)];
}

/** One `key: value` a line after a `---`; values that are absent are left out. */
export function renderSftResult({ data: _, ...result }: SftResult): string {
  const lines = Object.entries(result).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const short = key === "loss" || key.startsWith("val_");
    return [`${key}: ${short ? (value as number).toFixed(4) : value}`];
  });
  return `---\n${lines.join("\n")}\n`;
}
