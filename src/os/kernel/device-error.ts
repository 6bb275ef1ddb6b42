/**
 * How a driver fails: what the process may be told in code's own words, and apart from it what the
 * outside said, which is anybody's text and carries labels. The kernel makes an outcome
 * `{ status: "error", error: { code, message, detail } }` of it; anything else that a
 * driver throws is told as its message's code alone.
 */
import type { Json, LabelTree } from "../security/labelled.ts";
import type { CallErrorCode } from "./syscall.ts";

export interface DeviceFailure {
  /** Untrusted words from outside, or the argument's own. */
  readonly detail?: Json;
  /** Of the failure and its detail; absent: as for a result without labels. */
  readonly labels?: LabelTree;
  readonly cause?: unknown;
  /** Default "DEVICE". */
  readonly code?: CallErrorCode;
  /** It may have happened all the same: the outcome of an irreversible call is then unknown. */
  readonly uncertain?: boolean;
}

export class DeviceError extends Error {
  readonly detail: Json | undefined;
  readonly labels: LabelTree | undefined;
  readonly code: CallErrorCode;
  readonly uncertain: boolean;

  /** @param message one line, `where: rule, got values. hint`; no untrusted text in it */
  constructor(message: string, failure: DeviceFailure = {}) {
    super(message, { cause: failure.cause });
    this.name = "DeviceError";
    this.detail = failure.detail;
    this.labels = failure.labels;
    this.code = failure.code ?? "DEVICE";
    this.uncertain = failure.uncertain ?? false;
  }
}
