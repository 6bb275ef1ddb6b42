/**
 * What the rows of a stage's configuration mean to its optimizer: what was left open filled in,
 * then rates as a function of the step alone.
 */
import type { Precision } from "../model/transformer.ts";
import type { StepRates } from "../optim/compile-train-step.ts";
import { lrMultiplier, muonMomentum, type Schedule } from "../optim/schedule.ts";
import type { OptimizerOptions } from "../optim/train-step.ts";
import type { StageConfig } from "./stage-options.ts";

interface Decided {
  readonly steps: number;
  readonly muonLr: number;
  readonly warmdown: number;
  readonly precision: Precision;
}

/** A stage's configuration in which nothing is left open that shapes the weights. */
export type ResolvedStage<C extends StageConfig = StageConfig> = Omit<C, keyof Decided> & Decided;

/** Muon's rate where none is given: about what the depth dial gives it beside AdamW's. */
const MUON_SCALE = 1.25;

/** @param steps of the run  @param auto what precision "auto" means on this backend */
export function resolveStage<C extends StageConfig>(
  config: C,
  steps: number,
  auto: Precision,
): ResolvedStage<C> {
  return {
    ...config,
    steps,
    muonLr: config.muonLr ?? MUON_SCALE * config.lr,
    warmdown: config.warmdown ?? Math.floor(steps / 2),
    precision: config.precision === "auto" ? auto : config.precision,
  };
}

/** What moves the weights; stage 1 has the same keys. */
type Movement = Pick<
  ResolvedStage,
  | ("optimizer" | "precision" | "lr" | "muonLr" | "beta1" | "beta2" | "weightDecay" | "clip")
  | ("schedule" | "steps" | "warmup" | "warmdown" | "minLr")
>;

export function optimizerOptionsOf(config: Movement): OptimizerOptions {
  const { optimizer, precision, weightDecay, clip } = config;
  return {
    ...{ optimizer, precision, betas: [config.beta1, config.beta2], eps: 1e-8, weightDecay },
    ...(clip === undefined ? {} : { clip }),
    ...(optimizer === "muon" ? { lrScale: { matrix: config.muonLr / config.lr } } : {}),
  };
}

/** Multiplier of every learning rate. @param step steps done */
export function lrmAt(config: Movement, step: number): number {
  const { schedule, steps, warmup, warmdown, minLr } = config;
  const shape: Schedule = { kind: schedule, steps, warmup, warmdown, floor: minLr };
  return lrMultiplier(shape, step);
}

/** @param step steps done  @param updates those of them that were not skipped */
export function ratesAt(
  config: Movement,
  step: number,
  updates: number,
): Omit<StepRates, "maxNorm"> {
  return { lr: config.lr * lrmAt(config, step), t: updates + 1, momentum: muonMomentum(step) };
}

/** Whether something is due after `step` steps; the end of the run is always a time for it. */
export function isDue(
  { step, config }: { readonly step: number; readonly config: { readonly steps: number } },
  every: number,
): boolean {
  return step % every === 0 || step === config.steps;
}

/** Positions of one optimizer step, padding included. */
export function tokensPerStep({
  batchSize,
  sequenceLen,
  gradAccumSteps,
}: Pick<StageConfig, "batchSize" | "gradAccumSteps"> & { readonly sequenceLen: number }): number {
  return batchSize * sequenceLen * gradAccumSteps;
}

/** Every key with its value, four to a line; keys that are absent are left out. */
export function renderStageConfig(config: object): string {
  const words = Object.entries(config)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${typeof value === "number" ? shorten(value) : value}`);
  const lines = Array.from({ length: Math.ceil(words.length / 4) }, (_, i) =>
    words
      .slice(4 * i, 4 * i + 4)
      .map((word) => `${word}  `.padEnd(24))
      .join("")
      .trimEnd(),
  );
  return `configuration\n  ${lines.join("\n  ")}`;
}

function shorten(value: number): string {
  return String(Number(value.toPrecision(4)));
}
