/**
 * Everything that a report card is computed from, as plain data: `record.json` of a grown model.
 * The run writes it; the report only renders it. Nothing in it is written by hand.
 */
import type { EvalReport } from "../eval/report.ts";
import type { DataCard } from "../run/data-card.ts";

export type StageName = "pretrain" | "sft" | "reward" | "rl";

export interface StageRecord {
  readonly name: StageName;
  /** The run's folder: card.md, metrics.jsonl, curves, checkpoints. */
  readonly folder: string;
  readonly checkpoint: string;
  readonly parameters: number;
  readonly steps: number;
  /** Tokens that were trained on, padding left out where the stage knows it. */
  readonly tokens: number;
  /** Floating-point operations of training, rollouts included. */
  readonly flops: number;
  /** Wall time from the stage's start to its last checkpoint; over all starts of a resumed run. */
  readonly seconds: number;
  /** Wall time of the training steps alone. */
  readonly trainSeconds: number;
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly data: readonly DataCard[];
  /**
   * The stage's own result, as its command prints it under --json. `report.json` holds all of it;
   * `promises.ts` names what a reader may count on.
   */
  readonly result: Readonly<Record<string, unknown>>;
  /** Rows of metrics.jsonl. */
  readonly metrics: readonly Readonly<Record<string, unknown>>[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  /** The backend's own description. */
  readonly backend: string;
  /** What its kernels reach on a large product; the denominator of MFU. */
  readonly peakGflops: number;
}

export interface GrowRecord {
  readonly preset: string;
  readonly out: string;
  readonly commit: string | undefined;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Of the whole, from the first start to the report, without pauses between starts. */
  readonly seconds: number;
  readonly machine: Machine;
  /** In order. */
  readonly stages: readonly StageRecord[];
  /** The language models beside each other: the same suites, the same problems. */
  readonly evals: {
    readonly base?: EvalReport;
    readonly sft?: EvalReport;
    readonly rl?: EvalReport;
  };
}

export type ModelName = keyof GrowRecord["evals"];

export const modelNames: readonly ModelName[] = ["base", "sft", "rl"];

/** What people call them. */
export const modelTitles: Readonly<Record<ModelName, string>> = {
  base: "base",
  sft: "SFT",
  rl: "RL",
};

export const stageTitles: Readonly<Record<StageName, string>> = {
  pretrain: "1 pretraining",
  sft: "2 SFT",
  reward: "3 reward model",
  rl: "4 RL",
};
