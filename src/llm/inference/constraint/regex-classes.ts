/**
 * Named classes of characters in regular expressions. Their members are asked of the JavaScript
 * engine, one code point after the other, so that they are those of its own Unicode version.
 */
import { type CodePointSet, codePointSet, complement } from "./code-point-set.ts";

const known = new Map<string, CodePointSet>();

/** @param spelling \d \D \w \W \s \S */
export function shorthand(spelling: string): CodePointSet {
  const set = members(spelling.toLowerCase(), 0xffff);
  return spelling === spelling.toLowerCase() ? set : complement(set);
}

/** @param spelling \p{…} or \P{…} */
export function propertySet(spelling: string): CodePointSet {
  const set = members(`\\p${spelling.slice(2)}`, 0x10ffff);
  return spelling.startsWith("\\p") ? set : complement(set);
}

function members(spelling: string, last: number): CodePointSet {
  const before = known.get(spelling);
  if (before) return before;
  const pattern = new RegExp(`^${spelling}$`, "u");
  const ranges: [number, number][] = [];
  for (let codePoint = 0; codePoint <= last; codePoint++) {
    if (!pattern.test(String.fromCodePoint(codePoint))) continue;
    const open = ranges.at(-1);
    if (open?.[1] === codePoint - 1) open[1] = codePoint;
    else ranges.push([codePoint, codePoint]);
  }
  const set = codePointSet(ranges);
  known.set(spelling, set);
  return set;
}
