/**
 * The rows of stage 3's `metrics.jsonl`.
 *
 *     {"step":1,"loss":0.7,"accuracy":0.5,"lead":0.01,"gradNorm":1.2,"lrm":0.2,"ms":182,"batch":"9f86…"}
 *     {"step":70,"held":{"accuracy":0.9,"low":0.84,…,"scale":{"mean":1.1,"std":0.8},…}}
 */
import { type Metrics, openMetrics } from "../run/metrics.node.ts";
import type { Measurement } from "./measure.ts";

export interface StepRecord {
  readonly step: number;
  /** Mean over the step's prompts, in nats. */
  readonly loss: number;
  /** Share of pairs ranked right, before the update. */
  readonly accuracy: number;
  /** Mean of chosen - rejected, in the head's own numbers. */
  readonly lead: number;
  readonly gradNorm: number;
  /** Multiplier of every learning rate. */
  readonly lrm: number;
  readonly ms: number;
  /** Hash of the step's inputs. */
  readonly batch: string;
  readonly skipped?: true;
}

export interface EvalRecord {
  readonly step: number;
  readonly held: Measurement;
}

export interface RewardMetrics extends Metrics<StepRecord | EvalRecord> {
  readonly steps: readonly StepRecord[];
  readonly evals: readonly EvalRecord[];
}

/** @param text what the run's checkpoint holds, "" for a new run  @throws DISK */
export function openRewardMetrics(runFolder: string, text: string): RewardMetrics {
  const [steps, evals]: [StepRecord[], EvalRecord[]] = [[], []];
  const file = (record: StepRecord | EvalRecord): void => {
    if ("held" in record) evals.push(record);
    else steps.push(record);
  };
  return { steps, evals, ...openMetrics<StepRecord | EvalRecord>(runFolder, text, file) };
}
