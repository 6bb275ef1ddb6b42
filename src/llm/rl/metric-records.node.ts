/**
 * The rows of stage 4's `metrics.jsonl`.
 *
 *     {"step":1,"reward":0.3,"kl":0.1,…,"generating":410,"scoring":90,"learning":350,"waiting":2}
 *     {"step":10,"pass":{"value":0.4,"low":0.33,"high":0.47,"n":200}}
 *     {"step":3,"warning":"truncated"}
 */
import { type Metrics, openMetrics } from "../run/metrics.node.ts";
import type { Share } from "../run/wilson.ts";
import type { RolloutStatistics } from "./rollout-statistics.ts";
import type { Laps } from "./timer.ts";

/** Times are milliseconds. */
export interface StepRecord extends RolloutStatistics, Laps {
  readonly step: number;
  /** Nats a reply, away from the start model. */
  readonly kl: number;
  /** β when the step began. */
  readonly klWeight: number;
  readonly loss: number;
  readonly gradNorm: number;
  readonly lrm: number;
  /** Samples or pairs that were learned from. */
  readonly learned: number;
  readonly updates: number;
  readonly skipped: number;
  /** Of the loss, by name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Hash of the rows that were learned from. */
  readonly batch: string;
}

export interface EvalRecord {
  readonly step: number;
  readonly pass: Share;
}

export interface WarningRecord {
  readonly step: number;
  readonly warning: string;
}

export type MetricRecord = StepRecord | EvalRecord | WarningRecord;

export interface RlMetrics extends Metrics<MetricRecord> {
  readonly steps: readonly StepRecord[];
  readonly evals: readonly EvalRecord[];
  readonly warnings: ReadonlySet<string>;
}

/** @param text what the run's checkpoint holds, "" for a new run  @throws DISK */
export function openRlMetrics(runFolder: string, text: string): RlMetrics {
  const [steps, evals]: [StepRecord[], EvalRecord[]] = [[], []];
  const warnings = new Set<string>();
  const file = (record: MetricRecord): void => {
    if ("pass" in record) evals.push(record);
    else if ("warning" in record) warnings.add(record.warning);
    else steps.push(record);
  };
  return { steps, evals, warnings, ...openMetrics<MetricRecord>(runFolder, text, file) };
}
