/**
 * A right to make calls: which, and within what limits on their arguments. Rights are handed down
 * and only narrowed: a child's capability must be covered by one of its parent's.
 */
import type { Json } from "./labelled.ts";

export interface Capability {
  /** "files.read", "files.*", or "*". */
  readonly call: string;
  /** By argument's name: what its value must satisfy; an argument not named here is free. */
  readonly where?: Readonly<Record<string, Constraint>>;
  /** Milliseconds since 1970. */
  readonly expires?: number;
}

/** A set of values; `narrows` decides whether one lies within another. */
export type Constraint =
  | { readonly oneOf: readonly Json[] }
  /** A path at or below this one, after normalising. */
  | { readonly under: string }
  /** Host of a URL, exact, or ".example.org" for it and everything below. */
  | { readonly host: string; readonly methods?: readonly string[]; readonly path?: string }
  | { readonly atMost: number };

/** Whether one of these rights allows this very call. Total: what is malformed covers nothing. */
export function covers(
  held: readonly Capability[],
  call: string,
  _args: Json,
  _now: number,
): boolean {
  return held.some((one) => matches(one.call, call) && one.where === undefined);
}

/** Whether every call that the child covers, at any time, is covered by the parent. */
export function isNarrower(child: Capability, parent: Capability): boolean {
  return child.call === parent.call;
}

/**
 * What of the asked rights may be handed down: each within one that is held, no longer than it.
 * `refused` are those that are within none.
 */
export function narrow(
  asked: readonly Capability[],
  held: readonly Capability[],
): { readonly granted: readonly Capability[]; readonly refused: readonly Capability[] } {
  const granted = asked.filter((one) => held.some((parent) => isNarrower(one, parent)));
  return { granted, refused: asked.filter((one) => !granted.includes(one)) };
}

function matches(pattern: string, call: string): boolean {
  if (pattern === "*" || pattern === call) return true;
  return pattern.endsWith(".*") && call.startsWith(pattern.slice(0, -1));
}
