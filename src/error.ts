/**
 * The one error class. A message reads `where: rule, got values. hint` on one line; `code` is
 * stable, has a page in `docs/errors/<code>.md`, and is what a caller may branch on.
 */

/** Every code that the product may throw; a test holds this table against `docs/errors`. */
export type ErrorCode =
  | "SHAPE" // compute: shapes, dtypes or attributes of an operation do not fit
  | "TOOLCHAIN" // compute: no usable C compiler, or it refused the generated program
  | "CHECKPOINT" // model: a checkpoint is torn, foreign, or of another run
  | "DATA" // data: a source is empty, binary, not UTF-8, too short
  | "TOKENIZER" // tokenizer: a tokenizer file or token id is not valid
  | "CONFIG" // a configuration value or key breaks a rule
  | "USAGE" // command line: unknown command or flag, missing value
  | "DISK" // a write failed: disk full, no permission, read-only
  | "DIVERGED" // training: the loss is not finite and cannot be skipped any more
  | "CONTEXT" // inference: what is asked for does not fit the model's context
  | "OVERLOADED" // inference: no memory or place left to serve it now; later there may be
  | "UNSUPPORTED" // inference: this model or engine cannot do what was asked
  | "ABORTED" // inference: whoever asked took it back before it was done
  | "PROVIDER" // inference: another machine's model failed or cannot be reached
  | "DATABASE" // durable: Postgres cannot be started or reached, or holds what is not ours
  | "JOURNAL" // os: a record is torn, changed, cut or out of order
  | "PROCESS" // os: no such process, or it is in no state for this
  | "DENIED" // os: no right to do this, or a person said no
  | "PLAN" // os: a plan is not in the plan language
  | "MANIFEST"; // os: an app's folder breaks a rule

export class NutshellError extends Error {
  readonly code: ErrorCode;
  /** Whoever refused said when it may be asked again; milliseconds from now. */
  readonly retryAfterMs: number | undefined;

  /** @param message one line, `where: rule, got values. hint` */
  constructor(
    code: ErrorCode,
    message: string,
    options: ErrorOptions & { readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options);
    this.name = "NutshellError";
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}
