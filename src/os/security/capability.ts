/**
 * A right to make calls: which, and within what limits on their arguments. Rights are handed down
 * and only narrowed: a child's capability must be covered by one of its parent's. Every function
 * here is total, and what is malformed covers nothing.
 */
import { canonicalJson } from "./canonical.ts";
import type { Json } from "./labelled.ts";
import { isHostWithin, isUnder, isUrlPathUnder, toPath, toUrl } from "./place.ts";

export interface Capability {
  /** "files.read", "files.*", or "*". */
  readonly call: string;
  /** By argument's name: what its value must satisfy; an argument not named here is free. */
  readonly where?: Readonly<Record<string, Constraint>>;
  /** Milliseconds since 1970 from which on it is void. */
  readonly expires?: number;
}

/**
 * A set of values; of an argument that is a list, every element must lie in it, and there must be
 * one. An argument that is missing lies in none.
 */
export type Constraint =
  | { readonly oneOf: readonly Json[] }
  /** A path at or below this one, after normalising (`place.ts`). */
  | { readonly under: string }
  /**
   * Host of a URL, exact (with its port, if it is not the scheme's), or ".example.org" for it and
   * everything below. `methods` are of the argument "method", which is GET when absent.
   */
  | { readonly host: string; readonly methods?: readonly string[]; readonly path?: string }
  | { readonly atMost: number };

/** Whether one of these rights allows this very call. */
export function covers(
  held: readonly Capability[],
  call: string,
  args: Json,
  now: number,
): boolean {
  return held.some((one) => {
    if (!isCapability(one) || !matchesCall(one.call, call)) return false;
    if (!isLive(one, now)) return false;
    return constraintsOf(one).every(([name, constraint]) => {
      const value = ownValue<Json>(args, name);
      return value !== undefined && satisfies(value, constraint, args);
    });
  });
}

/** Before its end. */
export function isLive({ expires }: Capability, now: number): boolean {
  return expires === undefined || now < expires;
}

/** Whether every call that the child covers, at any time, is covered by the parent. */
export function isNarrower(child: Capability, parent: Capability): boolean {
  if (!isCapability(child) || !isCapability(parent)) return false;
  if (!isPatternWithin(child.call, parent.call)) return false;
  if (!(endOf(child) <= endOf(parent))) return false;
  return constraintsOf(parent).every(([name, limit]) => {
    const own = ownValue<Constraint>(child.where, name);
    return own !== undefined && isWithin(own, limit);
  });
}

/**
 * What of the asked rights may be handed down: each within one that is held, and ending no later
 * (a right that names no end gets its parent's). `refused` are those that are within none.
 */
export function narrow(
  asked: readonly Capability[],
  held: readonly Capability[],
): { readonly granted: readonly Capability[]; readonly refused: readonly Capability[] } {
  const asOffered = asked.map((one) => ({ one, fit: fitInto(one, held) }));
  return {
    granted: asOffered.flatMap(({ fit }) => fit ?? []),
    refused: asOffered.flatMap(({ one, fit }) => (fit === undefined ? one : [])),
  };
}

/** The asked right, ended with the longest-lived of those that have room for it. */
function fitInto(asked: Capability, held: readonly Capability[]): Capability | undefined {
  if (!isCapability(asked)) return undefined;
  const byEnd = held.filter(isCapability).toSorted((a, b) => (endOf(a) > endOf(b) ? -1 : 1));
  const offers = byEnd.map((parent) => {
    const ends = asked.expires === undefined && parent.expires !== undefined;
    return { parent, own: ends ? { ...asked, expires: parent.expires } : asked };
  });
  return offers.find(({ parent, own }) => isNarrower(own, parent))?.own;
}

function endOf(capability: Capability): number {
  return capability.expires ?? Number.POSITIVE_INFINITY;
}

/** Pattern of calls: a name, a device's name and `.*`, or `*`. */
function matchesCall(pattern: string, call: string): boolean {
  return isPatternWithin(call, pattern) && !call.includes("*");
}

function isPatternWithin(inner: string, outer: string): boolean {
  if (outer === "*" || outer === inner) return true;
  return outer.endsWith(".*") && inner.startsWith(outer.slice(0, -1));
}

function satisfies(value: Json, constraint: Constraint, args: Json): boolean {
  if (!Array.isArray(value)) return satisfiesOne(value, constraint, args);
  if ("oneOf" in constraint && includes(constraint.oneOf, value)) return true;
  const all = (one: Json) => !Array.isArray(one) && satisfiesOne(one, constraint, args);
  return value.length > 0 && Array.from<Json>(value).every(all);
}

function satisfiesOne(value: Json, constraint: Constraint, args: Json): boolean {
  if ("oneOf" in constraint) return includes(constraint.oneOf, value);
  if ("atMost" in constraint) return typeof value === "number" && value <= constraint.atMost;
  if (typeof value !== "string") return false;
  if ("under" in constraint) return isPathWithin(value, constraint.under);
  const url = toUrl(value);
  if (url === undefined || !isHostWithin(url.host, constraint.host)) return false;
  const { methods, path } = constraint;
  return (
    (methods === undefined || methods.some((one) => one === (ownValue(args, "method") ?? "GET"))) &&
    (path === undefined || isUrlPathUnder(url.pathname, path))
  );
}

/** Whether all that satisfies `own`, a constraint of a child, satisfies `limit`. */
function isWithin(own: Constraint, limit: Constraint): boolean {
  if ("oneOf" in own) {
    const free = "host" in limit && limit.methods !== undefined;
    return !free && own.oneOf.every((value) => satisfies(value, limit, {}));
  }
  if ("atMost" in own) return "atMost" in limit && own.atMost <= limit.atMost;
  if ("under" in own) return "under" in limit && isPathWithin(own.under, limit.under);
  return "host" in limit && isHostConstraintWithin(own, limit);
}

type HostConstraint = Extract<Constraint, { host: string }>;

function isHostConstraintWithin(own: HostConstraint, limit: HostConstraint): boolean {
  const wide = own.host.startsWith(".");
  const host = toUrl(wide ? own.host.slice(1) : own.host)?.host;
  if (host === undefined || !isHostWithin(host, limit.host)) return false;
  if (wide && !limit.host.startsWith(".")) return false;
  if (limit.methods !== undefined && !own.methods?.every((one) => limit.methods?.includes(one))) {
    return false;
  }
  return (
    limit.path === undefined || (own.path !== undefined && isUrlPathUnder(own.path, limit.path))
  );
}

function isPathWithin(path: string, top: string): boolean {
  const inner = toPath(path);
  const outer = toPath(top);
  return inner !== undefined && outer !== undefined && isUnder(inner, outer);
}

function includes(values: readonly Json[], value: Json): boolean {
  return values.some((one) => one === value || (isComposite(one) && isSameJson(one, value)));
}

function isSameJson(a: Json, b: Json): boolean {
  try {
    return canonicalJson(a) === canonicalJson(b);
  } catch {
    return false;
  }
}

function isComposite(value: Json): boolean {
  return typeof value === "object" && value !== null;
}

function constraintsOf(capability: Capability): [string, Constraint][] {
  return Object.entries(capability.where ?? {});
}

/** A property of its own: what an object inherits is nobody's argument and nobody's right. */
function ownValue<T>(object: unknown, key: string): T | undefined {
  if (typeof object !== "object" || object === null || !Object.hasOwn(object, key))
    return undefined;
  return (object as Record<string, T>)[key];
}

const isText = (value: unknown): boolean => typeof value === "string";
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isOptional = (is: (value: unknown) => boolean) => (value: unknown) =>
  value === undefined || is(value);

/** What a constraint must be named and hold: exactly one of these rows, with its fields alone. */
const constraintForms: readonly Readonly<Record<string, (value: unknown) => boolean>>[] = [
  { oneOf: Array.isArray },
  { under: isText },
  { host: isText, methods: isOptional(isTexts), path: isOptional(isText) },
  { atMost: Number.isFinite },
];

function isConstraint(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return constraintForms.some((form) => {
    const known = Object.keys(value).every((key) => Object.hasOwn(form, key));
    return known && Object.entries(form).every(([key, is]) => is(ownValue(value, key)));
  });
}

/** Capabilities come from manifests and tables: the type is checked, not believed. */
export function isCapability(value: unknown): value is Capability {
  if (typeof value !== "object" || value === null) return false;
  const { call, where, expires, ...other } = value as Record<string, unknown>;
  if (typeof call !== "string" || !/^(?:\*|[^*]+|[^*]+\.\*)$/.test(call)) return false;
  if (expires !== undefined && typeof expires !== "number") return false;
  if (where === undefined) return Object.keys(other).length === 0;
  const fine = typeof where === "object" && where !== null && !Array.isArray(where);
  return fine && Object.keys(other).length === 0 && Object.values(where).every(isConstraint);
}
