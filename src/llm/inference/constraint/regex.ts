/**
 * The part of JavaScript's regular expressions that describes regular languages, as JSON Schema
 * uses them: a text holds a match somewhere unless `^` and `$` say where. Anchors are resolved
 * here, so that a `Regex` describes whole texts. What looks around, back, or at word borders is
 * refused. Lazy quantifiers mean the same texts as greedy ones.
 */
import { NutshellError } from "../../../error.ts";
import { anyCodePoint, type CodePointSet, codePointSet, complement } from "./code-point-set.ts";
import { propertySet, shorthand } from "./regex-classes.ts";
import { createScanner, type Scanner } from "./scanner.ts";

/** A language of whole texts, over characters. */
export type Regex =
  | { readonly kind: "set"; readonly set: CodePointSet }
  | { readonly kind: "sequence"; readonly items: readonly Regex[] }
  | { readonly kind: "choice"; readonly items: readonly Regex[] }
  | { readonly kind: "repeat"; readonly item: Regex; readonly min: number; readonly max: number };

/** As written: anchors not yet resolved. */
type Part =
  | { readonly kind: "start" }
  | { readonly kind: "end" }
  | { readonly kind: "set"; readonly set: CodePointSet }
  | { readonly kind: "sequence"; readonly items: readonly Part[] }
  | { readonly kind: "choice"; readonly items: readonly Part[] }
  | { readonly kind: "repeat"; readonly item: Part; readonly min: number; readonly max: number };

/** @param where of the pattern  @throws CONFIG when it is no pattern; UNSUPPORTED */
export function parseRegex(pattern: string, where: string): Regex {
  checkSyntax(pattern, where);
  const scan = createScanner(where, pattern);
  const part = readChoice(scan);
  if (!scan.atEnd()) scan.fail("a group that closes must have been opened");
  const ways = withoutAnchorsInside(part);
  return { kind: "choice", items: ways.map((items) => resolveAnchors(items, scan)) };
}

function checkSyntax(pattern: string, where: string): void {
  try {
    new RegExp(pattern, "u");
  } catch (cause) {
    const got = `got ${JSON.stringify(pattern)}`;
    const rule = "a pattern must be a regular expression of JavaScript with the flag u";
    throw new NutshellError("CONFIG", `${where}: ${rule}, ${got}.`, { cause });
  }
}

function readChoice(scan: Scanner): Part {
  const items = [readSequence(scan)];
  while (scan.take(/\|/y)) items.push(readSequence(scan));
  return items.length === 1 ? (items[0] as Part) : { kind: "choice", items };
}

function readSequence(scan: Scanner): Part {
  const items: Part[] = [];
  while (!scan.atEnd() && !scan.at(/[|)]/y)) items.push(readQuantified(scan));
  return { kind: "sequence", items };
}

function readQuantified(scan: Scanner): Part {
  const item = readItem(scan);
  const mark = scan.take(/(?:[*+?]|\{\d+(?:,\d*)?\})\??/y).replace(/(?<=.)\?$/, "");
  if (!mark) return item;
  const [least = "0", most] = mark.replaceAll(/[{}]/g, "").split(",");
  const max = most === undefined ? Number(least) : Number(most || Infinity);
  const [low, high] = marks.get(mark) ?? [Number(least), max];
  return { kind: "repeat", item, min: low, max: high };
}

const marks: ReadonlyMap<string, readonly [number, number]> = new Map([
  ["*", [0, Infinity]],
  ["+", [1, Infinity]],
  ["?", [0, 1]],
]);

/** `.` without the flag s. */
const notLineEnd = complement(
  codePointSet([
    [0x0a, 0x0a],
    [0x0d, 0x0d],
    [0x2028, 0x2029],
  ]),
);

function readItem(scan: Scanner): Part {
  if (scan.take(/\^/y)) return { kind: "start" };
  if (scan.take(/\$/y)) return { kind: "end" };
  if (scan.take(/\./y)) return { kind: "set", set: notLineEnd };
  if (scan.take(/\[/y)) return { kind: "set", set: readClass(scan) };
  if (scan.take(/\((?:\?:|\?<[A-Za-z_$][\w$]*>|(?!\?))/y)) return readGroup(scan);
  if (scan.at(/\(/y)) scan.fail("groups that look around cannot be compiled", undefined, true);
  return { kind: "set", set: readAtom(scan) };
}

function readGroup(scan: Scanner): Part {
  const inner = readChoice(scan);
  if (!scan.take(/\)/y)) scan.fail("a group must be closed by )");
  return inner;
}

function readAtom(scan: Scanner): CodePointSet {
  const set = readClassEscape(scan);
  if (set) return set;
  const character = readCharacter(scan);
  return codePointSet([[character, character]]);
}

function readClassEscape(scan: Scanner): CodePointSet | undefined {
  const name = scan.take(/\\[dDwWsS]/y);
  if (name) return shorthand(name);
  const property = scan.take(/\\[pP]\{[^}]*\}/y);
  return property ? propertySet(property) : undefined;
}

function readClass(scan: Scanner): CodePointSet {
  const negated = scan.take(/\^/y) !== "";
  const ranges: (readonly [number, number])[] = [];
  while (!scan.take(/\]/y)) {
    const set = readClassEscape(scan);
    if (set) ranges.push(...set);
    else ranges.push(readRange(scan));
  }
  const set = codePointSet(ranges);
  return negated ? complement(set) : set;
}

function readRange(scan: Scanner): readonly [number, number] {
  const inClass = true;
  const first = readCharacter(scan, inClass);
  return [first, scan.take(/-(?!\])/y) ? readCharacter(scan, inClass) : first];
}

const controls: ReadonlyMap<string, number> = new Map(
  Object.entries({ n: 10, r: 13, t: 9, f: 12, v: 11, 0: 0 }),
);

function readCharacter(scan: Scanner, inClass = false): number {
  const at = scan.position();
  if (!scan.take(/\\/y)) return scan.take(/./suy).codePointAt(0) as number;
  if (inClass && scan.take(/b/y)) return 8;
  if (scan.at(/[1-9bBk]/y))
    scan.fail("references back and word borders cannot be compiled", at, true);
  const hex = scan.take(/x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|u\{[0-9a-fA-F]+\}/y);
  if (hex) return joined(scan, Number.parseInt(hex.replaceAll(/[^0-9a-fA-F]/g, ""), 16));
  const letter = scan.take(/c[A-Za-z]/y);
  if (letter) return letter.charCodeAt(1) & 31;
  const escaped = scan.take(/./suy);
  return controls.get(escaped) ?? (escaped.codePointAt(0) as number);
}

/** Two escapes of surrogates are one character. */
function joined(scan: Scanner, unit: number): number {
  if (unit < 0xd800 || unit > 0xdbff) return unit;
  const low = scan.take(/\\u[dD][c-fC-F][0-9a-fA-F]{2}/y);
  return low
    ? 0x10000 + ((unit & 0x3ff) << 10) + (Number.parseInt(low.slice(2), 16) & 0x3ff)
    : unit;
}

/** All ways through groups that hold anchors, as flat sequences. */
function withoutAnchorsInside(part: Part): (readonly Part[])[] {
  if (part.kind === "choice" && hasAnchor(part)) return part.items.flatMap(withoutAnchorsInside);
  if (part.kind !== "sequence") return [[part]];
  let ways: (readonly Part[])[] = [[]];
  for (const item of part.items) {
    const next = hasAnchor(item) ? withoutAnchorsInside(item) : [[item]];
    ways = ways.flatMap((way) => next.map((more) => [...way, ...more]));
  }
  return ways;
}

function hasAnchor(part: Part): boolean {
  if (part.kind === "start" || part.kind === "end") return true;
  if (part.kind === "set") return false;
  return part.kind === "repeat" ? hasAnchor(part.item) : part.items.some(hasAnchor);
}

const anyText: Regex = {
  kind: "repeat",
  item: { kind: "set", set: anyCodePoint },
  min: 0,
  max: Infinity,
};

function resolveAnchors(items: readonly Part[], scan: Scanner): Regex {
  const isNot = (kind: string) => (item: Part) => item.kind !== kind;
  const first = items.findIndex(isNot("start"));
  const from = first < 0 ? items.length : first;
  const to = Math.max(from, items.findLastIndex(isNot("end")) + 1);
  const middle = items.slice(from, to);
  if (middle.some(hasAnchor))
    scan.fail("^ must begin a way through the pattern and $ end it", 0, true);
  const inner = middle as readonly Regex[];
  const before = from > 0 ? [] : [anyText];
  const after = to < items.length ? [] : [anyText];
  return { kind: "sequence", items: [...before, ...inner, ...after] };
}
