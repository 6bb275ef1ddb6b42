/**
 * What an evaluation found, as plain data: one row a number, each with its error bar, its count and
 * the first few answers behind it. Examples are the first ones of the seeded sample, never chosen.
 */

/** How `low` and `high` were found; both are bounds of 95 %. Combined: from those of other rows. */
export type IntervalKind = "wilson" | "bootstrap" | "combined";

export interface EvalExample {
  readonly prompt: string;
  readonly reply: string;
  /** What was asked for, where there is one right answer. */
  readonly expected?: string;
  /** 1 right, 0 wrong, between: partly; absent where no program can tell. */
  readonly grade?: number;
}

export interface EvalRow {
  readonly suite: string;
  /** Unique in its suite. */
  readonly name: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly interval: IntervalKind;
  /** Problems, pairs or texts behind the value. */
  readonly n: number;
  /** What `value` counts: a share of 1 unless named. */
  readonly unit: "share" | "bits/byte" | "perplexity" | "reward";
  /** What guessing scores. */
  readonly chance?: number;
  /** Accuracy with chance at 0 and perfect at 1. */
  readonly centred?: number;
  readonly seconds: number;
  /** Items of the sample that did not fit the model's context and are not in `n`. */
  readonly dropped?: number;
  readonly examples: readonly EvalExample[];
}

/** A reply that is shown and has no error bar: the talk's own questions. */
export interface EvalReply extends EvalExample {
  readonly suite: string;
  readonly name: string;
}

/** What was asked for and could not be measured. */
export interface EvalSkip {
  readonly suite: string;
  readonly name: string;
  readonly reason: string;
}

export interface EvalReport {
  /** The model's folder. */
  readonly model: string;
  readonly parameters: number;
  readonly sequenceLen: number;
  /** Whether multiple choice and open questions were asked as a chat or as plain text. */
  readonly form: "chat" | "plain";
  readonly reward?: string;
  readonly suites: readonly string[];
  readonly seed: number;
  readonly temperature: number;
  readonly samples: number;
  readonly maxRows: number;
  readonly backend: string;
  readonly precision: string;
  readonly seconds: number;
  readonly rows: readonly EvalRow[];
  readonly replies: readonly EvalReply[];
  readonly skipped: readonly EvalSkip[];
}
