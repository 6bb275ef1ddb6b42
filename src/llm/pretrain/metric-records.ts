/** The rows of `metrics.jsonl`. `step` counts the steps done. */

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
