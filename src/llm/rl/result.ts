/** How a run ended, as one record: printed as lines that can be searched, or as JSON. */
import type { ModelConfig } from "../model/config.ts";
import { flopsPerToken } from "../model/size.ts";
import { type DataCard, shareOut } from "../run/data-card.ts";
import type { Share } from "../run/wilson.ts";
import type { Task } from "../tasks/task.ts";
import type { RunConfig } from "./complete-config.ts";
import type { EvalRecord, StepRecord } from "./metric-records.node.ts";

export interface RlResult {
  readonly out: string;
  readonly curve: string;
  /** The user ended it early. */
  readonly stopped: boolean;
  readonly algorithm: string;
  readonly task: string;
  readonly step: number;
  readonly steps: number;
  /** Share of held-out problems that one reply of the start model solved; absent: not measured. */
  readonly passBefore: Share | undefined;
  readonly passAfter: Share | undefined;
  /** Mean reward of the first and of the last step's rollouts. */
  readonly rewardFirst: number | undefined;
  readonly rewardLast: number | undefined;
  /** Nats a reply, away from the start model. */
  readonly kl: number | undefined;
  readonly rollouts: number;
  readonly sampledTokens: number;
  readonly updates: number;
  readonly skipped: number;
  /** Sampled tokens, each learned from in every epoch. */
  readonly tokens: number;
  /** Of sampling, the reference's reading and learning; prompts are left out. */
  readonly flops: number;
  readonly train_seconds: number;
  /** Shares of the wall time. */
  readonly generating: number;
  readonly scoring: number;
  readonly learning: number;
  readonly waiting: number;
  readonly data: readonly DataCard[];
}

/** The parts of a run that its result follows from. */
interface Finished {
  readonly config: RunConfig;
  readonly model: ModelConfig;
  readonly tasks: readonly Task[];
  readonly step: number;
  readonly metrics: {
    readonly steps: readonly StepRecord[];
    readonly evals: readonly EvalRecord[];
  };
}

/** @param curve path of `reward.svg`  @param stopped the user ended it early */
export function summarise(
  { config, model, tasks, step, metrics }: Finished,
  curve: string,
  stopped: boolean,
): RlResult {
  const { steps, evals } = metrics;
  const sum = (read: (record: StepRecord) => number): number =>
    steps.reduce((total, record) => total + read(record), 0);
  const ms = sum(stepMs);
  const tokens = sum(({ sampledTokens }) => sampledTokens);
  const share = (part: number): number => (ms === 0 ? 0 : part / ms);
  return {
    ...{ out: config.out, curve, stopped: stopped && step < config.steps },
    ...{ algorithm: config.algorithm, task: config.task, step, steps: config.steps },
    passBefore: evals[0]?.step === 0 ? evals[0].pass : undefined,
    passAfter: evals.at(-1)?.step === step ? evals.at(-1)?.pass : undefined,
    rewardFirst: steps[0]?.reward,
    rewardLast: steps.at(-1)?.reward,
    kl: steps.at(-1)?.kl,
    rollouts: sum(({ rollouts }) => rollouts),
    sampledTokens: tokens,
    updates: sum(({ updates }) => updates),
    skipped: sum(({ skipped }) => skipped),
    tokens,
    // Forward passes are a third of training's FLOPs: one to sample, one of the reference.
    flops: tokens * flopsPerToken(model, config.sequenceLen).causalTotal * (config.epochs + 2 / 3),
    train_seconds: Number((ms / 1000).toFixed(1)),
    generating: share(sum(({ generating }) => generating)),
    scoring: share(sum(({ scoring }) => scoring)),
    learning: share(sum(({ learning }) => learning)),
    waiting: share(sum(({ waiting }) => waiting)),
    data: shareOut(
      tasks.map(({ name, description, licence = "Apache-2.0" }) => {
        return { name, licence, card: description };
      }),
      tasks.map(() => 1),
    ),
  };
}

export function stepMs({ generating, scoring, learning, waiting }: StepRecord): number {
  return generating + scoring + learning + waiting;
}

/** One `key: value` a line after a `---`; values that are absent are left out. */
export function renderResult({ data: _, ...result }: RlResult): string {
  const lines = Object.entries(result).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}: ${renderValue(value)}`],
  );
  return `---\n${lines.join("\n")}\n`;
}

function renderValue(value: unknown): string {
  if (typeof value === "number") return String(Number(value.toFixed(4)));
  if (typeof value === "object" && value !== null) return renderPassRate(value as Share);
  return String(value);
}

export function renderPassRate({ value, low, high, n }: Share): string {
  return `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}] of ${n}`;
}
