/**
 * The configuration of stage 1, declared once: flags, `--help`, validation and the stored config
 * derive from this table. A row without a value follows from the others (see `complete-config.ts`).
 */
import type { BackendChoice } from "../../compute/backends/choose.node.ts";
import { inRange, type OptionTableFor, positive } from "../../options.ts";
import { type PrepareConfig, prepareOptions } from "../data/prepare/config.ts";
import type { ScheduleKind } from "../optim/schedule.ts";
import { stageOptions } from "../run/stage-options.ts";

export interface PretrainConfig extends PrepareConfig {
  out: string;
  depth: number;
  nEmbd: number | undefined;
  nHead: number | undefined;
  nFfn: number | undefined;
  tied: boolean;
  qkNorm: boolean;
  sequenceLen: number;
  batchSize: number;
  gradAccumSteps: number | undefined;
  steps: number | undefined;
  optimizer: "adamw" | "muon";
  lr: number | undefined;
  muonLr: number | undefined;
  schedule: ScheduleKind;
  warmup: number | undefined;
  warmdown: number | undefined;
  minLr: number;
  weightDecay: number | undefined;
  muonWeightDecay: number | undefined;
  beta1: number;
  beta2: number;
  clip: number | undefined;
  spikeFactor: number;
  maxSkips: number;
  precision: "auto" | "bf16" | "f32";
  seed: number;
  logEvery: number;
  evalEvery: number;
  evalBatches: number | undefined;
  sampleEvery: number;
  prompt: string;
  saveEvery: number;
  keep: number;
  backend: BackendChoice;
}

const count = inRange(1, Number.POSITIVE_INFINITY);
const share = inRange(0, 1);

type Row<K extends keyof PretrainConfig> = OptionTableFor<PretrainConfig>[K];

const maybeCount = (doc: string): Row<"steps"> => {
  return { type: "integer?", value: undefined, doc, check: count };
};
const maybeRate = (doc: string): Row<"lr"> => {
  return { type: "number?", value: undefined, doc, check: positive };
};
const every = (value: number, doc: string): Row<"logEvery"> => {
  return { type: "integer", value, doc, check: count };
};

/** Rows that mean the same in every stage. */
const { optimizer, schedule, beta1, beta2, clip, spikeFactor, maxSkips, precision, seed, backend } =
  stageOptions;

export const pretrainOptions: OptionTableFor<PretrainConfig> = {
  ...prepareOptions,
  ...{ optimizer, schedule, beta1, beta2, clip, spikeFactor, maxSkips, precision, backend },
  seed: { ...seed, doc: "Of initial weights, data order and samples." },
  out: { type: "string", value: "runs/out/pretrain", placeholder: "DIR", doc: "The run's folder." },
  depth: { type: "integer", value: 6, doc: "Layers; the one dial.", check: inRange(1, 128) },
  nEmbd: maybeCount("Channels of the residual stream; absent: 64 a layer."),
  nHead: maybeCount("Attention heads; absent: by the dial."),
  nFfn: maybeCount("Channels inside the MLP; absent: 8/3 of the width."),
  tied: { type: "boolean", value: false, doc: "The output head is the embedding table." },
  qkNorm: { type: "boolean", value: false, doc: "Norms on queries and keys, as Qwen3 has." },
  sequenceLen: every(512, "Tokens of context."),
  batchSize: { ...every(8, "Rows of a micro-batch."), flag: "batch" },
  gradAccumSteps: maybeCount("Micro-batches of a step; absent: by the dial."),
  steps: maybeCount("Steps of the run; absent: by the dial."),
  lr: maybeRate("Peak learning rate of AdamW; absent: by the dial."),
  muonLr: maybeRate("Peak learning rate of Muon's matrices; absent: by the dial."),
  warmup: { ...maybeCount("Steps of rising rate; absent: 2 %."), check: inRange(0, Infinity) },
  warmdown: maybeCount("Steps of falling rate at the end, trapezoid only; absent: half."),
  minLr: {
    type: "number",
    value: 0.05,
    doc: "Rate at the end, as a share of the peak.",
    check: share,
  },
  weightDecay: { ...maybeRate("Decay under AdamW; absent: by the dial."), check: share },
  muonWeightDecay: { ...maybeRate("Decay under Muon; absent: by the dial."), check: share },
  logEvery: every(10, "Steps between lines of progress."),
  evalEvery: every(250, "Steps between measurements on held-out text."),
  evalBatches: maybeCount("Held-out batches of each source; absent: all."),
  sampleEvery: every(250, "Steps between samples."),
  prompt: { type: "string", value: "The", doc: "What the samples start with." },
  saveEvery: every(250, "Steps between checkpoints."),
  keep: every(2, "Checkpoints that stay."),
};

/** Keys that may change when a run is resumed: they change no weight, or only where it runs. */
export const freeKeys: readonly (keyof PretrainConfig)[] = [
  ...(["data", "evals", "out", "logEvery", "evalEvery", "evalBatches", "sampleEvery"] as const),
  ...(["prompt", "saveEvery", "keep", "maxSkips", "backend", "threads"] as const),
];
