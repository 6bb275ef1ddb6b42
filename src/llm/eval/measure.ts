/** What a measure is: it questions a subject and gives numbers, without knowing who asked. */
import type { EvalConfig } from "./config.ts";
import type { Estimate } from "./intervals.ts";
import type { EvalExample, EvalReply, EvalRow, EvalSkip } from "./report.ts";
import type { RewardJudge } from "./reward-judge.node.ts";
import type { Subject } from "./subject.node.ts";

/** A row before it is known to which suite it belongs and how long the measure took. */
export type MeasuredRow = Omit<EvalRow, "suite" | "seconds">;

export interface Measured {
  readonly rows?: readonly MeasuredRow[];
  readonly replies?: readonly Omit<EvalReply, "suite">[];
  readonly skipped?: readonly Omit<EvalSkip, "suite">[];
}

export interface MeasureContext {
  readonly asked: EvalConfig;
  readonly subject: Subject;
  /** Present when a reward model was given. */
  readonly judge: RewardJudge | undefined;
  /** Where evaluation sets lie; absent: there are none. */
  readonly data: string | undefined;
  readonly signal: AbortSignal;
  /** How far the measure is. */
  tell(done: number, total: number): void;
}

export type Measure = (context: MeasureContext) => Promise<Measured>;

/** A share of 1 with its error bar. */
export function shareRow(
  name: string,
  estimate: Estimate,
  examples: readonly EvalExample[],
  more: Partial<MeasuredRow> = {},
): MeasuredRow {
  return { name, ...estimate, unit: "share", examples, ...more };
}

/** Only when there were any: `dropped` of a row. */
export function dropped(count: number): Partial<MeasuredRow> {
  return count === 0 ? {} : { dropped: count };
}
