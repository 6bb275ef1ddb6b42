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
