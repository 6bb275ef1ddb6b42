/**
 * Finds a process that goes in circles: the same call with the same arguments and the same result,
 * over and over, other calls between them or not. A wait breaks the circle, for whoever looks again
 * after a while is not stuck. It is a function of the calls alone: a replay finds the same.
 */
import { createHash } from "node:crypto";
import { canonicalJson } from "../security/canonical.ts";
import type { Json } from "../security/labelled.ts";
import type { Outcome } from "./syscall.ts";

/** The circle that the latest call closed: how often it was seen, and where first. */
export interface Circle {
  readonly times: number;
  readonly first: number;
}

export interface LoopWatch {
  /** @returns how often a call like this is among the latest ones, itself included */
  see(call: number, waits: boolean, print: string): number;
  readonly latest: Circle;
  /** Forgets: somebody put it on another way. */
  clear(): void;
}

/** Calls that are remembered. */
const WINDOW = 24;
/** So many make a note; twice as many, another way out. */
export const STUCK = 3;

export function createLoopWatch(): LoopWatch {
  let seen: { readonly call: number; readonly print: string }[] = [];
  let latest: Circle = { times: 0, first: 0 };
  const clear = (): void => {
    seen = [];
    latest = { times: 0, first: 0 };
  };
  return {
    see: (call, waits, print) => {
      if (waits) clear();
      else {
        seen = [...seen.filter((one) => one.call !== call), { call, print }].slice(-WINDOW);
        const same = seen.filter((one) => one.print === print);
        latest = { times: same.length, first: same[0]?.call ?? call };
      }
      return latest.times;
    },
    get latest() {
      return latest;
    },
    clear,
  };
}

export function circleNote(times: number): string | undefined {
  if (times < STUCK) return undefined;
  return `the same call with the same arguments had the same result ${times} times: do another thing`;
}

/** Of a call with its end; what cannot be written as JSON was refused for that, which is enough. */
export function fingerprint(name: string, args: Json, outcome: Outcome): string {
  const hash = createHash("sha256").update(name);
  hash.update(textOf(args)).update(outcome.status);
  if (outcome.status === "ok") hash.update(textOf(outcome.value.value));
  if (outcome.status === "error") hash.update(outcome.error.code).update(outcome.error.message);
  return hash.digest("base64");
}

function textOf(value: Json): string {
  try {
    return canonicalJson(value);
  } catch {
    return "";
  }
}
