/**
 * One JSON line a request, and one for each failure of our own. Numbers, names of routes and hashes
 * of keys; never a path, a header, a prompt or a text.
 */
import { NutshellError } from "../error.ts";
import type { RequestScope } from "./request-scope.ts";

export type WriteLog = (line: string) => void;

export function logRequest(
  write: WriteLog,
  scope: RequestScope,
  method: string,
  status: number,
): void {
  const { id, route, client, counts, cut, startedAt, firstTokenMs } = scope;
  const tokens = counts.promptTokens + counts.completionTokens > 0 ? counts : {};
  const line = {
    time: new Date().toISOString(),
    id,
    method,
    route,
    status,
    ms: round(performance.now() - startedAt),
    ...(firstTokenMs === undefined ? {} : { firstTokenMs: round(firstTokenMs) }),
    ...tokens,
    ...(client === "" ? {} : { client }),
    ...(cut === undefined ? {} : { cut }),
  };
  write(`${JSON.stringify(line)}\n`);
}

/** What failed and where in our code. The error's text may repeat what somebody wrote. */
export function logFailure(write: WriteLog, { id, route }: RequestScope, error: unknown): void {
  const { name, stack = "" } = error instanceof Error ? error : new Error();
  const code = error instanceof NutshellError ? error.code : name;
  const at = stack
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim());
  write(`${JSON.stringify({ time: new Date().toISOString(), id, route, failure: code, at })}\n`);
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
