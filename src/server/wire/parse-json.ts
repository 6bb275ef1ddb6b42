/**
 * Bytes of a request to a plain JSON value, or a 400 that says why not. What passes is safe to walk
 * and to write out again: valid UTF-8, no lone surrogates, at most 64 levels, no `__proto__` keys.
 */
import { Refusal } from "./refusal.ts";

const MOST_LEVELS = 64;

/** @throws Refusal 400 */
export function parseJson(bytes: Uint8Array): unknown {
  let value: unknown;
  try {
    value = JSON.parse(decode(bytes));
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw malformed("The body is not valid JSON.");
  }
  check(value);
  return value;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw malformed("The body is not valid UTF-8.");
  }
}

/** Level by level, so that no nesting can exhaust the stack. */
function check(root: unknown): void {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_LEVELS)
      throw malformed(`The body must be nested at most ${MOST_LEVELS} levels deep.`);
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value === "string") checkText(value);
      else if (typeof value === "object" && value !== null) descend(value, next);
    }
    level = next;
  }
}

function descend(value: object, next: unknown[]): void {
  for (const [key, element] of Object.entries(value)) {
    if (key === "__proto__") throw malformed("The key __proto__ is not allowed.");
    checkText(key);
    next.push(element);
  }
}

function checkText(value: string): void {
  if (!value.isWellFormed())
    throw malformed("Strings must be well-formed Unicode, got half of a surrogate pair.");
}

function malformed(message: string): Refusal {
  return new Refusal(400, message, { code: "invalid_json" });
}
