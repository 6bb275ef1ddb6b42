/**
 * What a request that cannot be served gets: a status and OpenAI's error object. `param` names the
 * field that is wrong, `code` is stable. Everything that is thrown on the way to a reply ends here;
 * what is our own fault is told without its text, since that may hold what somebody wrote.
 */
import { NutshellError } from "../../error.ts";

export type RefusalType =
  | "invalid_request_error"
  | "authentication_error"
  | "permission_error"
  | "rate_limit_error"
  | "server_error";

export interface RefusalDetails {
  readonly type?: RefusalType;
  readonly param?: string;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export class Refusal extends Error {
  readonly status: number;
  readonly type: RefusalType;
  readonly param: string | null;
  readonly code: string | null;
  readonly headers: Readonly<Record<string, string>>;

  /** @param message what is wrong and what to do about it, in one line */
  constructor(status: number, message: string, details: RefusalDetails = {}, cause?: unknown) {
    super(message, { cause });
    this.name = "Refusal";
    this.status = status;
    this.type = details.type ?? "invalid_request_error";
    this.param = details.param ?? null;
    this.code = details.code ?? null;
    this.headers = details.headers ?? {};
  }
}

/** A field that breaks its rule. */
export function badField(param: string, rule: string, code = "invalid_value"): Refusal {
  return new Refusal(400, `${param}: ${rule}`, { param, code });
}

/** A field that is understood, but asks for what this engine or server cannot do. */
export function unsupported(param: string, message: string): Refusal {
  return new Refusal(400, `${param}: ${message}`, { param, code: "unsupported_value" });
}

/** Try again after `seconds`. */
export function overloaded(message: string, code: string, seconds: number): Refusal {
  const headers = { "retry-after": String(Math.max(1, Math.ceil(seconds))) };
  return new Refusal(429, message, { type: "rate_limit_error", code, headers });
}

export interface WireError {
  readonly error: {
    readonly message: string;
    readonly type: RefusalType;
    readonly param: string | null;
    readonly code: string | null;
  };
}

export function renderRefusal({ message, type, param, code }: Refusal): WireError {
  return { error: { message, type, param, code } };
}

type Translate = (error: NutshellError) => Refusal;

const asked =
  (code: string): Translate =>
  (error) =>
    new Refusal(400, error.message, { code }, error);

/** An engine's errors that are an answer to what was asked. Every other one is our own fault. */
const translations: Readonly<Record<string, Translate>> = {
  CONFIG: asked("invalid_value"),
  DATA: asked("invalid_value"),
  TOKENIZER: asked("invalid_value"),
  UNSUPPORTED: asked("unsupported_value"),
  CONTEXT: asked("context_length_exceeded"),
  OVERLOADED: (error) => overloaded(error.message, "engine_overloaded", 2),
  PROVIDER: () =>
    new Refusal(502, "The model's provider failed.", { type: "server_error", code: "provider" }),
};

/** @param error whatever was thrown */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const translate = error instanceof NutshellError ? translations[error.code] : undefined;
  if (translate !== undefined) return translate(error as NutshellError);
  const message = "The server failed; its log has more under this request's x-request-id.";
  return new Refusal(500, message, { type: "server_error", code: "internal_error" }, error);
}
