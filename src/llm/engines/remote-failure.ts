/**
 * What went wrong at a provider, in one line: its status and its own words. Keys never stand in it:
 * a provider may repeat the one it was sent, and what the SDK throws holds whole requests, so that
 * its error is not passed on as a cause.
 */
import { APICallError, RetryError, UnsupportedFunctionalityError } from "ai";
import { NutshellError } from "../../error.ts";

const MOST_WORDS = 300;

/** @param secret what must not be shown */
export function toFailure(
  where: string,
  error: unknown,
  secret: string | undefined,
): NutshellError {
  if (error instanceof NutshellError) return error;
  const hide = (text: string): string => oneLine(secret ? text.replaceAll(secret, "…") : text);
  const last = RetryError.isInstance(error) ? error.lastError : error;
  if (UnsupportedFunctionalityError.isInstance(last))
    return new NutshellError("UNSUPPORTED", `${where}: ${hide(last.message)}`);
  if (isTooLong(last)) return new NutshellError("CONTEXT", `${where}: ${hide(wordsOf(last))}`);
  const tries = RetryError.isInstance(error) ? ` after ${error.errors.length} tries` : "";
  const got = `${hide(wordsOf(last))}${tries}`;
  const options = { retryAfterMs: retryAfter(last) };
  return new NutshellError("PROVIDER", `${where}: the provider must answer, got ${got}`, options);
}

/** Seconds or a date, as RFC 9110 has it; only where the provider asks for patience. */
function retryAfter(error: unknown): number | undefined {
  if (!APICallError.isInstance(error) || ![429, 503].includes(error.statusCode ?? 0))
    return undefined;
  const value = error.responseHeaders?.["retry-after"] ?? "";
  const ms = /^\d+$/.test(value) ? 1000 * Number(value) : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** As OpenAI and servers like it say that a prompt does not fit. */
function isTooLong(error: unknown): boolean {
  return APICallError.isInstance(error) && /context_length_exceeded/.test(error.responseBody ?? "");
}

function wordsOf(error: unknown): string {
  if (!APICallError.isInstance(error)) return error instanceof Error ? error.message : words(error);
  const { statusCode, message } = error;
  return statusCode === undefined ? message : `${statusCode} ${message}`;
}

function words(error: unknown): string {
  return typeof error === "string" ? error : JSON.stringify(error);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().slice(0, MOST_WORDS);
}
