/**
 * The rows of stage 1's `metrics.jsonl`.
 *
 *     {"step":1,"loss":8.3,"gradNorm":1.2,"lrm":0.1,"ms":182,"batch":"9f86…","skipped":true}
 *     {"step":100,"bpb":1.9,"valLoss":4.2,"sources":{"books":2.0,…}}
 *     {"step":100,"sample":"The …"}
 */
import { type Metrics, openMetrics } from "../run/metrics.node.ts";

export interface StepRecord {
  readonly step: number;
  /** Mean over the step's tokens, in nats. */
  readonly loss: number;
  readonly gradNorm: number;
  /** Multiplier of every learning rate. */
  readonly lrm: number;
  readonly ms: number;
  /** Hash of the step's tokens. */
  readonly batch: string;
  readonly skipped?: true;
}

export interface EvalRecord {
  readonly step: number;
  readonly bpb: number;
  /** In nats per token. */
  readonly valLoss: number;
  /** Bits per byte by source. */
  readonly sources: Readonly<Record<string, number>>;
}

export interface SampleRecord {
  readonly step: number;
  /** The prompt and what followed. */
  readonly sample: string;
}

export type MetricRecord = StepRecord | EvalRecord | SampleRecord;

export interface PretrainMetrics extends Metrics<MetricRecord> {
  readonly steps: readonly StepRecord[];
  readonly evals: readonly EvalRecord[];
  readonly samples: readonly SampleRecord[];
}

/** @param text what the run's checkpoint holds, "" for a new run  @throws DISK */
export function openPretrainMetrics(runFolder: string, text: string): PretrainMetrics {
  const steps: StepRecord[] = [];
  const evals: EvalRecord[] = [];
  const samples: SampleRecord[] = [];
  const file = (record: MetricRecord): void => {
    if ("bpb" in record) evals.push(record);
    else if ("sample" in record) samples.push(record);
    else steps.push(record);
  };
  return { steps, evals, samples, ...openMetrics<MetricRecord>(runFolder, text, file) };
}
