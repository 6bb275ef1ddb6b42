/**
 * Methods of strings and numbers, by the host language's own: plain values go in and come out, no
 * object is touched. The table says how much each may make before it is made.
 */
import { bottom } from "../security/label.ts";
import type { Budget } from "./budget.ts";
import { type Cell, failure, list, scalar, text } from "./cell.ts";
import type { Place, Scalar } from "./plan.ts";
import { lift, misfit } from "./scalars.ts";

/** UTF-16 units that the result may have, from the text and its arguments. */
type Size = (text: string, args: readonly Scalar[]) => number;

const within: Size = (value) => value.length;
const pieces: Size = (value, [part]) => value.length / Math.max(String(part).length, 1) + 1;
const padded: Size = (value, [length]) => Math.max(value.length, Number(length) || 0);

const sizes: Readonly<Record<string, Size>> = {
  at: within,
  charAt: within,
  endsWith: within,
  includes: within,
  indexOf: within,
  lastIndexOf: within,
  padEnd: padded,
  padStart: padded,
  repeat: (value, [count]) => value.length * Math.max(Number(count) || 0, 0),
  replace: (value, [, by]) => value.length + String(by).length,
  replaceAll: (value, [part, by]) => value.length + pieces(value, [part]) * String(by).length,
  slice: within,
  split: (value, [part]) => value.length + 8 * pieces(value, [part]),
  startsWith: within,
  substring: within,
  toLowerCase: (value) => 3 * value.length,
  toUpperCase: (value) => 3 * value.length,
  trim: within,
  trimEnd: within,
  trimStart: within,
};

/** Those that look for their first argument: at worst at every place all of it. */
const searching: ReadonlySet<string> = new Set([
  ...["includes", "indexOf", "lastIndexOf", "replace", "replaceAll", "split"],
]);
/** Pairs of UTF-16 units that are compared in one step. */
const PAIRS_A_STEP = 4096;

const numberMethods: ReadonlySet<string> = new Set(["toFixed", "toString"]);

/** Names of all methods of plain values. */
export const nativeNames: readonly string[] = [...Object.keys(sizes), ...numberMethods];

export function nativeMethod(
  name: string,
  object: Scalar,
  args: readonly Cell[],
  budget: Budget,
  place: Place,
): Cell {
  const isText = typeof object === "string" && Object.hasOwn(sizes, name);
  if (!isText && !(typeof object === "number" && numberMethods.has(name))) {
    return misfit(scalar(object, bottom), `.${name} is no method of it`, place);
  }
  return lift(args, place, budget, (values, label) => {
    const size = isText ? (sizes[name] as Size)(object, values) : 400;
    budget.allocate(2 * size);
    budget.step(Math.ceil(size / 16));
    if (searching.has(name)) {
      const pairs = String(object).length * String(values[0]).length;
      budget.step(Math.floor(pairs / PAIRS_A_STEP));
    }
    const result = invoke(object, name, values);
    if (result === undefined && name !== "at")
      return failure("RANGE", rangeText(name, place), label);
    if (!Array.isArray(result)) return scalar(result as Scalar, label);
    return list(
      result.map((part) => text(part, bottom, budget)),
      label,
      budget,
    );
  });
}

const rangeText = (name: string, { line, column }: Place): string =>
  `plan ${line}:${column}: .${name} takes arguments within their range`;

/** @returns undefined where an argument is out of the method's range */
function invoke(object: string | number, name: string, args: readonly Scalar[]): unknown {
  // Literal text: "$&" and the like mean nothing.
  const replaces = name === "replace" || name === "replaceAll";
  const given = replaces ? [String(args[0]), () => String(args[1])] : args;
  const prototype = Object.getPrototypeOf(object) as Record<string, (...args: never[]) => unknown>;
  const method = prototype[name] as (...args: never[]) => unknown;
  try {
    return method.apply(object, given as never[]);
  } catch {
    return undefined;
  }
}
