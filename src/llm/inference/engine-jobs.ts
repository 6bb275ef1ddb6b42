/** What sessions ask of the loop: ids to compute, the next token, a moment between two runs. */

import { NutshellError } from "../../error.ts";
import type { Waiting } from "./admission.ts";
import type { Timeline } from "./timeline.ts";
import type { SampledToken, TokenSampler } from "./token-engine.ts";

/** Keys and values of ids up to `to`. */
export interface FillJob {
  readonly timeline: Timeline;
  /** The timeline's, and maybe some more. */
  readonly ids: readonly number[];
  readonly to: number;
  readonly output: "none" | "logits" | "hidden";
  /** @param rows of the output, for ids[from..to) */
  readonly onRows?: (rows: Float32Array, from: number, to: number) => void;
  readonly signal: AbortSignal | undefined;
  /** Of its ids, those that were there already. */
  cached: number;
  /** Has its memory. */
  begun: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The token after the timeline's last. */
export interface StepJob extends Waiting {
  readonly timeline: Timeline;
  readonly sampler: TokenSampler;
  /** One bit an id of those that may be drawn; absent: any. */
  readonly allowed: Uint32Array | undefined;
  /** Alternatives; absent: no log-probabilities. */
  readonly logprobs: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** undefined: aborted. */
  readonly resolve: (token: SampledToken | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Whoever asked took it back, or closed its timeline. */
export const isOver = ({ timeline, signal }: FillJob | StepJob): boolean =>
  timeline.closed || signal?.aborted === true;

export const aborted = (what: string): NutshellError =>
  new NutshellError("ABORTED", `${what}: it must not be taken back, got an abort before its end.`);
