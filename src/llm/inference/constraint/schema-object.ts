/**
 * Objects: the named members in the order of the schema, those that need not be there may be left
 * out, then members of other names where `additionalProperties` allows them. Where it is absent
 * and members are named, no others are offered: texts stay valid, and a schema means what whoever
 * wrote it had in mind.
 */
import { anyCodePoint, codePointSet, complement, intersect } from "./code-point-set.ts";
import {
  choice,
  type Expression,
  empty,
  keyEnd,
  literal,
  many,
  nothing,
  repeat,
  sequence,
} from "./expression.ts";
import { anySpelled, colon, comma, mapOf, quote, spelled } from "./json-text.ts";
import type { Conditions, Node } from "./schema-conjunction.ts";

/** What compiling a part needs of the whole. */
export interface Compiling {
  /** A rule for all texts that satisfy these. */
  ruleFor(node: Node): Expression;
  /**
   * Adds rules that may mention each other, under new names that begin so.
   * @returns the first
   */
  addRules(
    name: string,
    count: number,
    textOf: (i: number, ruleOf: (i: number) => Expression) => Expression,
  ): Expression;
}

interface Members {
  readonly names: readonly string[];
  readonly value: (name: string) => Expression;
  readonly required: ReadonlySet<string>;
  /** Other members; `nothing`: none. */
  readonly other: Expression;
  readonly min: number;
  readonly max: number;
}

export function objectText(conditions: Conditions, compiling: Compiling): Expression {
  const { properties, required, additional, size } = conditions;
  const [min, max] = size.object;
  const names = [...new Set([...properties.keys(), ...required])];
  const open = additional ?? (properties.size === 0 ? [] : undefined);
  const free = open ? compiling.ruleFor(open) : nothing;
  if (names.length === 0) return open ? mapOf(free, min, max) : nothing;
  const value = (name: string) => compiling.ruleFor(properties.get(name) ?? additional ?? []);
  const key = open ? keyOutside(names) : nothing;
  const other = open ? sequence(key, colon, free) : nothing;
  const members = membersFrom({ names, value, required, other, min, max }, compiling);
  return sequence(literal("{"), members, literal("}"));
}

/** One rule a place in the list and number of members before it, as far as the number matters. */
function membersFrom(members: Members, compiling: Compiling): Expression {
  const { names, required, min, max } = members;
  const counts = Math.min(names.length, max < Infinity ? max : Math.max(min, 1));
  let later = Array.from({ length: counts + 1 }, (_, count) => othersFrom(members, count, counts));
  for (const name of names.toReversed()) {
    const text = sequence(literal(JSON.stringify(name)), colon, members.value(name));
    later = later.map((without, count) => {
      const more = count < max ? (later[Math.min(count + 1, counts)] as Expression) : nothing;
      const withIt = sequence(count > 0 ? comma : empty, text, more);
      const e = required.has(name) ? withIt : choice(withIt, without);
      return compiling.addRules(`from ${JSON.stringify(name)}`, 1, () => e);
    });
  }
  return later[0] as Expression;
}

function othersFrom({ other, min, max }: Members, count: number, counts: number): Expression {
  const atMost = max === Infinity ? Infinity : max - count;
  const atLeast = Math.max(min - count, 0);
  if (count > 0 || counts === 0) return repeat(sequence(comma, other), atLeast, atMost);
  const rest = repeat(sequence(comma, other), Math.max(atLeast - 1, 0), atMost - 1);
  return choice(atLeast === 0 ? empty : nothing, sequence(other, rest));
}

const anyRest = sequence(many(anySpelled), quote, keyEnd);

/** A key of any other name. */
function keyOutside(names: readonly string[]): Expression {
  return sequence(quote, restOutside(names.map((name) => Array.from(name))));
}

function restOutside(names: readonly (readonly string[])[]): Expression {
  const groups = Map.groupBy(
    names.filter((name) => name.length > 0),
    ([first]) => first as string,
  );
  const firsts = [...groups.keys()].map((text) => codePointSet([[code(text), code(text)]]));
  const others = intersect(anyCodePoint, complement(codePointSet(firsts.flat())));
  const along = Array.from(groups, ([first, group]) => {
    const rest = restOutside(group.map((name) => name.slice(1)));
    return sequence(spelled(codePointSet([[code(first), code(first)]])), rest);
  });
  const ends = names.some((name) => name.length === 0) ? nothing : sequence(quote, keyEnd);
  return choice(ends, sequence(spelled(others), anyRest), ...along);
}

const code = (character: string): number => character.codePointAt(0) as number;
