/**
 * JSON as a constrained text writes it: no white space but one optional space after `:` and `,`,
 * so that a weak model cannot go on with blanks for ever; every character in one spelling (raw
 * where JSON lets it, the short escape or \u00xx where not), so that lengths, patterns and
 * names of keys can be told by their bytes; numbers of bounded length that are finite in f64.
 * This is what JSON.stringify writes, and what it writes with a space behind `:` and `,`.
 */
import {
  anyCodePoint,
  type CodePointSet,
  codePointSet,
  intersect,
  oneCharacter,
} from "./code-point-set.ts";
import {
  byteRange,
  choice,
  type Expression,
  type Grammar,
  keyEnd,
  literal,
  literals,
  many,
  oneByte,
  optional,
  repeat,
  rule,
  sequence,
} from "./expression.ts";

const space = optional(literal(" "));
export const colon: Expression = sequence(literal(":"), space);
export const comma: Expression = sequence(literal(","), space);
export const quote: Expression = literal('"');

/** Those that stand for themselves inside of quotes. */
const raw = codePointSet([
  [0x20, 0x21],
  [0x23, 0x5b],
  [0x5d, 0x10ffff],
]);
const escaped = codePointSet([
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
]);

/** Those of many bytes each: sets mostly have all of them or none, so they are one rule. */
const rare = codePointSet([
  [0, 0x1f],
  [0x80, 0x10ffff],
]);
const common = codePointSet([[0x20, 0x7f]]);

/** One character of the set, as it is spelled inside of quotes; needs `jsonRules`. */
export function spelled(set: CodePointSet): Expression {
  const hasRare = `${intersect(set, rare)}` === `${rare}`;
  if (!hasRare) return spelledOut(set);
  return choice(spelledOut(intersect(set, common)), rule("json rare character"));
}

function spelledOut(set: CodePointSet): Expression {
  const others = intersect(set, escaped).flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, i) =>
      JSON.stringify(String.fromCodePoint(first + i)).slice(1, -1),
    ),
  );
  return choice(oneCharacter(intersect(set, raw)), literals(others));
}

/** Any character inside of quotes; needs `jsonRules`. */
export const anySpelled: Expression = rule("json character");

/** @param min @param max characters */
export function stringOf(min: number, max: number): Expression {
  return sequence(quote, repeat(anySpelled, min, max), quote);
}

const digit = oneByte(byteRange(0x30, 0x39));
const oneToNine = oneByte(byteRange(0x31, 0x39));
const minus = literal("-");

/** Digits of a whole number at most: any 64-bit one fits. */
const WHOLE_DIGITS = 20;
const wholeAboveZero = sequence(oneToNine, repeat(digit, 0, WHOLE_DIGITS - 1));

/** Any whole number. */
export const anyInteger: Expression = choice(
  literal("0"),
  sequence(optional(minus), wholeAboveZero),
);

/** The shortest text of any f64 fits; one digit before the point keeps 9.99e307 finite. */
const FRACTION_DIGITS = 25;
const fraction = sequence(literal("."), repeat(digit, 1, FRACTION_DIGITS));
const exponent = choice(
  digit,
  sequence(oneToNine, digit),
  sequence(oneByte(byteRange(0x31, 0x32)), digit, digit),
  sequence(literal("30"), oneByte(byteRange(0x30, 0x37))),
);
const scientific = sequence(
  oneToNine,
  optional(fraction),
  oneByte(byteRange(0x65, 0x65) | byteRange(0x45, 0x45)),
  optional(oneByte(byteRange(0x2b, 0x2b) | byteRange(0x2d, 0x2d))),
  exponent,
);
const plain = sequence(
  choice(literal("0"), sequence(oneToNine, repeat(digit, 0, 20))),
  optional(fraction),
);

/** Any number that is finite in f64. */
export const anyNumber: Expression = choice(
  anyInteger,
  sequence(optional(minus), choice(plain, scientific)),
);

/** How deep values without a schema nest at most. */
const MOST_DEPTH = 16;

/** An array of items, `min` to `max` of them. */
export function arrayOf(item: Expression, min: number, max: number): Expression {
  const rest = repeat(sequence(comma, item), Math.max(min - 1, 0), max - 1);
  const some = max === 0 ? [] : [sequence(item, rest)];
  const inner = min === 0 ? optional(choice(...some)) : choice(...some);
  return sequence(literal("["), inner, literal("]"));
}

/** A key of any name that its object does not have yet, with the quotes. */
export const freeKey: Expression = sequence(quote, many(anySpelled), quote, keyEnd);

/** An object of any keys, `min` to `max` of them. */
export function mapOf(value: Expression, min: number, max: number): Expression {
  const member = sequence(freeKey, colon, value);
  const rest = repeat(sequence(comma, member), Math.max(min - 1, 0), max - 1);
  const some = max === 0 ? [] : [sequence(member, rest)];
  const inner = min === 0 ? optional(choice(...some)) : choice(...some);
  return sequence(literal("{"), inner, literal("}"));
}

/** Rules of any value, `json` the whole and `json 1` … those inside; names end in their depth. */
export const jsonRules: ReadonlyMap<string, Expression> = new Map([
  ["json rare character", spelledOut(rare)],
  ["json character", spelled(anyCodePoint)],
  ["json constant", literals(["true", "false", "null"])],
  ["json string", stringOf(0, Infinity)],
  ["json number", anyNumber],
  ...Array.from({ length: MOST_DEPTH + 1 }, (_, depth) => valueRule(depth)),
]);

function valueRule(depth: number): readonly [string, Expression] {
  const scalar = [rule("json string"), rule("json number"), rule("json constant")];
  const inner = rule(`json ${depth + 1}`);
  const nested = [arrayOf(inner, 0, Infinity), mapOf(inner, 0, Infinity)];
  return [`json ${depth}`, choice(...scalar, ...(depth < MOST_DEPTH ? nested : []))];
}

/** Any value; needs `jsonRules`. */
export const anyValue: Expression = rule("json 0");

export function jsonGrammar(): Grammar {
  return { rules: jsonRules, root: "json 0" };
}
