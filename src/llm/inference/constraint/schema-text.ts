/** Strings, numbers, arrays and fixed values of a schema, as expressions of their JSON text. */
import { anyCodePoint } from "./code-point-set.ts";
import {
  choice,
  type Expression,
  empty,
  literal,
  literals,
  nothing,
  repeat,
  sequence,
} from "./expression.ts";
import { formats } from "./formats.ts";
import { arrayOf, colon, comma, quote, spelled, stringOf } from "./json-text.ts";
import { numbersBetween } from "./number-text.ts";
import { parseRegex, type Regex } from "./regex.ts";
import { intersectRegexes } from "./regex-product.ts";
import type { Conditions, Span } from "./schema-conjunction.ts";
import { isObject, unsupported } from "./schema-keywords.ts";
import type { Compiling } from "./schema-object.ts";

/** States of a product of patterns and lengths at most. */
const MOST_STATES = 10_000;

export function stringText(conditions: Conditions, compiling: Compiling): Expression {
  const regexes = stringRegexes(conditions);
  const [min, max] = conditions.size.string;
  const [only] = regexes;
  if (!only) return stringOf(min, max);
  const sized = min > 0 || max < Infinity;
  if (regexes.length === 1 && !sized) return sequence(quote, regexText(only), quote);
  return sequence(
    quote,
    productText(conditions, [...regexes, lengthRegex([min, max])], compiling),
    quote,
  );
}

function productText(
  { path, size }: Conditions,
  regexes: readonly Regex[],
  compiling: Compiling,
): Expression {
  const states = intersectRegexes(regexes, MOST_STATES);
  if (!states)
    throw unsupported(
      path,
      `a product of patterns and lengths of > ${MOST_STATES} states`,
      size.string,
    );
  return compiling.addRules(`text ${path}`, states.length, (i, ruleOf) => {
    const { ends = false, edges = [] } = states[i] ?? {};
    const ways = edges.map(({ set, to }) => sequence(spelled(set), ruleOf(to)));
    return choice(ends ? empty : nothing, ...ways);
  });
}

function stringRegexes({ patterns, formats: named }: Conditions): Regex[] {
  const ofFormats = Array.from(named, ([name, path]) => {
    const pattern = formats.get(name);
    if (pattern === undefined) throw unsupported(path, "this format", name);
    return parseRegex(`^(?:${pattern})$`, `schema ${path}/format`);
  });
  const ofPatterns = Array.from(patterns, ([pattern, path]) =>
    parseRegex(pattern, `schema ${path}/pattern`),
  );
  return [...ofFormats, ...ofPatterns];
}

function lengthRegex([min, max]: Span): Regex {
  return { kind: "repeat", item: { kind: "set", set: anyCodePoint }, min, max };
}

function regexText(regex: Regex): Expression {
  if (regex.kind === "set") return spelled(regex.set);
  if (regex.kind === "repeat") return repeat(regexText(regex.item), regex.min, regex.max);
  const items = regex.items.map(regexText);
  return regex.kind === "choice" ? choice(...items) : sequence(...items);
}

export function numberText({ path, low, high }: Conditions, whole: boolean): Expression {
  const text = numbersBetween({ low, high }, whole);
  if (!text) throw unsupported(path, "an exclusive bound of more than 15 digits", [low, high]);
  return text;
}

export function arrayText(conditions: Conditions, { ruleFor }: Compiling): Expression {
  const { prefix, items, size } = conditions;
  const [min, max] = size.array;
  const rest = items ?? (prefix.length === 0 ? [] : undefined);
  const restText = rest ? ruleFor(rest) : nothing;
  if (prefix.length === 0) return arrayOf(restText, min, max);
  const count = prefix.length;
  let inner = repeat(sequence(comma, restText), Math.max(min - count, 0), max - count);
  for (const [i, node] of [...prefix.entries()].reverse()) {
    const one = sequence(i > 0 ? comma : empty, ruleFor(node), inner);
    inner = choice(i >= min ? empty : nothing, i < max ? one : nothing);
  }
  return sequence(literal("["), inner, literal("]"));
}

/** One of these values. */
export function valuesText(values: readonly unknown[]): Expression {
  const plain = values.filter((value) => typeof value !== "object" || value === null);
  const nested = values.filter((value) => typeof value === "object" && value !== null);
  return choice(literals(plain.map((value) => JSON.stringify(value))), ...nested.map(valueText));
}

function valueText(value: unknown): Expression {
  if (Array.isArray(value))
    return sequence(literal("["), listed(value.map(valueText)), literal("]"));
  if (!isObject(value)) return literal(JSON.stringify(value));
  const members = Object.entries(value).map(([name, inner]) =>
    sequence(literal(JSON.stringify(name)), colon, valueText(inner)),
  );
  return sequence(literal("{"), listed(members), literal("}"));
}

function listed(items: readonly Expression[]): Expression {
  return sequence(...items.map((item, i) => (i === 0 ? item : sequence(comma, item))));
}
