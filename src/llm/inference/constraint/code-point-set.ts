/**
 * Sets of Unicode scalar values, and how they are written in UTF-8: a set becomes alternatives of
 * byte ranges, one after the other, that spell its members and nothing else. Surrogates are in no
 * set, since UTF-8 has no spelling for them. @see RFC 3629, section 4
 */
import { byteRange, choice, type Expression, oneByte, sequence } from "./expression.ts";

type Range = readonly [first: number, last: number];
/** Sorted, apart from each other. */
export type CodePointSet = readonly Range[];

/** Every scalar value. */
export const anyCodePoint: CodePointSet = [
  [0, 0xd7ff],
  [0xe000, 0x10ffff],
];

/** @param ranges in any order, may overlap; surrogates among them are dropped */
export function codePointSet(ranges: readonly Range[]): CodePointSet {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const [first, last] of sorted) {
    const previous = joined.at(-1);
    if (previous && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last);
    else joined.push([first, last]);
  }
  return intersect(joined, anyCodePoint);
}

export function intersect(a: CodePointSet, b: CodePointSet): CodePointSet {
  const both: Range[] = [];
  for (const [first, last] of a)
    for (const [from, to] of b)
      if (first <= to && from <= last) both.push([Math.max(first, from), Math.min(last, to)]);
  return both;
}

export function complement(set: CodePointSet): CodePointSet {
  const gaps: Range[] = [];
  let next = 0;
  for (const [first, last] of set) {
    if (next < first) gaps.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= 0x10ffff) gaps.push([next, 0x10ffff]);
  return intersect(gaps, anyCodePoint);
}

/** One character of the set, in UTF-8. */
export function oneCharacter(set: CodePointSet): Expression {
  const single = set.reduce((all, [first, last]) => all | ascii(first, last), 0n);
  const longer = set.flatMap(([first, last]) => utf8Ranges(Math.max(first, 0x80), last));
  return choice(...(single === 0n ? [] : [oneByte(single)]), ...longer);
}

function ascii(first: number, last: number): bigint {
  return first > 0x7f ? 0n : byteRange(first, Math.min(last, 0x7f));
}

/** Last code point with so many bytes. */
const lengthEnds = [0x7f, 0x7ff, 0xffff, 0x10ffff];

/** Splits where the number of bytes changes, then where ranges of bytes do not line up. */
function utf8Ranges(first: number, last: number): Expression[] {
  if (first > last) return [];
  const cut = lengthEnds.find((end) => first <= end && end < last);
  if (cut !== undefined) return [...utf8Ranges(first, cut), ...utf8Ranges(cut + 1, last)];
  for (let bits = 6; bits <= 18; bits += 6) {
    const low = 2 ** bits - 1;
    if (first >> bits === last >> bits) continue;
    const above = first - (first & low) + low + 1;
    if ((first & low) !== 0) return [...utf8Ranges(first, above - 1), ...utf8Ranges(above, last)];
    const below = last - (last & low);
    if ((last & low) !== low) return [...utf8Ranges(first, below - 1), ...utf8Ranges(below, last)];
  }
  return [aligned(utf8(first), utf8(last))];
}

const encoder = new TextEncoder();
const utf8 = (codePoint: number) => encoder.encode(String.fromCodePoint(codePoint));

function aligned(first: Uint8Array, last: Uint8Array): Expression {
  const ranges = Array.from(first, (byte, i) => oneByte(byteRange(byte, last[i] as number)));
  return sequence(...ranges);
}
