/**
 * The rows of stage 2's `metrics.jsonl`.
 *
 *     {"step":1,"loss":2.3,"gradNorm":1.2,"lrm":0.1,"ms":182,"learned":611,"batch":"9f86…"}
 *     {"step":100,"valLoss":0.4,"sources":{"calculator":0.1,…},"bpb":1.9}
 *     {"step":100,"sample":"Who are you? → I am …"}
 */
import { type Metrics, openMetrics } from "../run/metrics.node.ts";

export interface StepRecord {
  readonly step: number;
  /** Mean over the step's learned tokens, in nats. */
  readonly loss: number;
  readonly gradNorm: number;
  /** Multiplier of every learning rate. */
  readonly lrm: number;
  readonly ms: number;
  /** Learned tokens of the step. */
  readonly learned: number;
  /** Hash of the step's tokens and targets. */
  readonly batch: string;
  readonly skipped?: true;
}

export interface EvalRecord {
  readonly step: number;
  /** In nats per learned token. */
  readonly valLoss: number;
  readonly sources: Readonly<Record<string, number>>;
  /** Bits per byte of held-out text, where there is a share of text. */
  readonly bpb?: number;
}

export interface SampleRecord {
  readonly step: number;
  /** The question, then the whole reply with its calls and their results. */
  readonly sample: string;
}

export type MetricRecord = StepRecord | EvalRecord | SampleRecord;

export interface SftMetrics extends Metrics<MetricRecord> {
  readonly steps: readonly StepRecord[];
  readonly evals: readonly EvalRecord[];
  readonly samples: readonly SampleRecord[];
}

/** @param text what the run's checkpoint holds, "" for a new run  @throws DISK */
export function openSftMetrics(runFolder: string, text: string): SftMetrics {
  const steps: StepRecord[] = [];
  const evals: EvalRecord[] = [];
  const samples: SampleRecord[] = [];
  const file = (record: MetricRecord): void => {
    if ("valLoss" in record) evals.push(record);
    else if ("sample" in record) samples.push(record);
    else steps.push(record);
  };
  return { steps, evals, samples, ...openMetrics<MetricRecord>(runFolder, text, file) };
}
