/**
 * The rows that the configurations of stages 2 to 4 share: what they start from, where they write,
 * how their optimizer moves. A stage spreads them into its own table and changes defaults there.
 */
import type { BackendChoice } from "../../compute/backends/choose.node.ts";
import { inRange, type OptionTableFor, positive } from "../../options.ts";
import type { ScheduleKind } from "../optim/schedule.ts";

export interface StageConfig {
  model: string | undefined;
  out: string;
  data: string | undefined;
  steps: number | undefined;
  batchSize: number;
  gradAccumSteps: number;
  optimizer: "adamw" | "muon";
  lr: number;
  muonLr: number | undefined;
  schedule: ScheduleKind;
  warmup: number;
  warmdown: number | undefined;
  minLr: number;
  weightDecay: number;
  beta1: number;
  beta2: number;
  clip: number | undefined;
  spikeFactor: number;
  maxSkips: number;
  precision: "auto" | "bf16" | "f32";
  seed: number;
  logEvery: number;
  evalEvery: number;
  saveEvery: number;
  keep: number;
  backend: BackendChoice;
  threads: number | undefined;
}

const count = inRange(1, Number.POSITIVE_INFINITY);
const share = inRange(0, 1);

export const stageOptions: OptionTableFor<StageConfig> = {
  model: {
    type: "string?",
    value: undefined,
    placeholder: "DIR",
    doc: "What to start from: a checkpoint or model folder, or a run's folder.",
  },
  out: { type: "string", value: "runs/out/stage", placeholder: "DIR", doc: "The run's folder." },
  data: {
    type: "string?",
    value: undefined,
    placeholder: "PATH",
    doc: "A file or folder of data, or builtin; absent: the built-in data and, where it is, ../shared/data.",
  },
  steps: { type: "integer?", value: undefined, doc: "Steps; absent: by epochs.", check: count },
  batchSize: {
    type: "integer",
    value: 8,
    flag: "batch",
    doc: "Rows of a micro-batch.",
    check: count,
  },
  gradAccumSteps: { type: "integer", value: 1, doc: "Micro-batches of a step.", check: count },
  optimizer: {
    type: "string",
    value: "adamw",
    choices: ["adamw", "muon"],
    doc: "muon: for the block matrices, AdamW for the rest.",
  },
  lr: { type: "number", value: 3e-4, doc: "Peak learning rate of AdamW.", check: positive },
  muonLr: {
    type: "number?",
    value: undefined,
    doc: "Peak rate of Muon's matrices.",
    check: positive,
  },
  schedule: {
    type: "string",
    value: "trapezoid",
    choices: ["cosine", "trapezoid", "constant"],
    doc: "How the rate falls after the warmup.",
  },
  warmup: {
    type: "integer",
    value: 0,
    doc: "Steps of rising rate.",
    check: inRange(0, Number.POSITIVE_INFINITY),
  },
  warmdown: {
    type: "integer?",
    value: undefined,
    doc: "Steps of falling rate at the end, trapezoid only; absent: half.",
    check: count,
  },
  minLr: {
    type: "number",
    value: 0,
    doc: "Rate at the end, as a share of the peak.",
    check: share,
  },
  weightDecay: { type: "number", value: 0, doc: "Decoupled decay of matrices.", check: share },
  beta1: { type: "number", value: 0.9, doc: "Decay of AdamW's first moment.", check: share },
  beta2: { type: "number", value: 0.95, doc: "Decay of AdamW's second moment.", check: share },
  clip: {
    type: "number?",
    value: 1,
    doc: "Largest gradient norm; auto: no clipping.",
    check: positive,
  },
  spikeFactor: {
    type: "number",
    value: 10,
    doc: "A step is skipped when its gradient norm is this many times the running median.",
    check: inRange(1.1, 1e9),
  },
  maxSkips: {
    type: "integer",
    value: 20,
    doc: "Skipped steps in a row that end the run as diverged.",
    check: count,
  },
  precision: {
    type: "string",
    value: "auto",
    choices: ["auto", "bf16", "f32"],
    doc: "Inputs of matrix products; auto: bf16 where the CPU multiplies it.",
  },
  seed: {
    type: "integer",
    value: 42,
    doc: "Of data order, samples and new weights.",
    check: inRange(0, 2 ** 32 - 1),
  },
  logEvery: { type: "integer", value: 10, doc: "Steps between lines of progress.", check: count },
  evalEvery: { type: "integer", value: 100, doc: "Steps between measurements.", check: count },
  saveEvery: { type: "integer", value: 100, doc: "Steps between checkpoints.", check: count },
  keep: { type: "integer", value: 1, doc: "Checkpoints that stay.", check: count },
  backend: {
    type: "string",
    value: "auto",
    choices: ["auto", "c", "reference"],
    doc: "What computes; auto: C when there is a compiler.",
  },
  threads: {
    type: "integer?",
    value: undefined,
    doc: "Threads; absent: one per core.",
    check: count,
  },
};

/** Keys that may change when a run is resumed: they shape no weight. */
export const stageFreeKeys: readonly (keyof StageConfig)[] = [
  ...(["out", "logEvery", "evalEvery", "saveEvery", "keep", "maxSkips"] as const),
  ...(["backend", "threads"] as const),
];
