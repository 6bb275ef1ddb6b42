/**
 * GBNF, the grammar notation of llama.cpp: rules `name ::= …` of literals, character classes,
 * groups, alternatives and repetitions; a line ends its rule unless a group is open or `|` goes on.
 * @see https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
 */
import {
  anyCodePoint,
  type CodePointSet,
  codePointSet,
  complement,
  oneCharacter,
} from "./code-point-set.ts";
import {
  choice,
  type Expression,
  type Grammar,
  literal,
  repeat,
  rule,
  sequence,
} from "./expression.ts";
import { createScanner, type Scanner } from "./scanner.ts";

const ROOT = "root";
const NAME = /[A-Za-z0-9_-]+/y;
const DEFINES = /::=/y;

interface Reading {
  readonly scan: Scanner;
  readonly rules: Map<string, Expression>;
  /** Where each rule is asked for first. */
  readonly asked: Map<string, number>;
}

/** @throws CONFIG with line and column */
export function parseGbnf(text: string): Grammar {
  const scan = createScanner("grammar", text);
  const reading: Reading = { scan, rules: new Map(), asked: new Map() };
  for (skipBlank(scan, true); !scan.atEnd(); skipBlank(scan, true)) readRule(reading);
  for (const [name, at] of reading.asked)
    if (!reading.rules.has(name)) scan.fail(`rule ${name} must be defined`, at);
  if (!reading.rules.has(ROOT)) scan.fail(`a rule named ${ROOT} must be there`);
  return { rules: reading.rules, root: ROOT };
}

/** Spaces and comments; line ends too where one may stand. */
function skipBlank(scan: Scanner, lines: boolean): void {
  scan.take(lines ? /(?:[ \t\r\n]|#[^\r\n]*)*/y : /(?:[ \t]|#[^\r\n]*)*/y);
}

function readRule(reading: Reading): void {
  const { scan, rules } = reading;
  const at = scan.position();
  const name = scan.take(NAME) || scan.fail("a rule must begin with its name");
  if (rules.has(name)) scan.fail(`rule ${name} must be defined once`, at);
  skipBlank(scan, false);
  if (!scan.take(DEFINES)) scan.fail(`::= must follow the name ${name}`);
  skipBlank(scan, true);
  rules.set(name, readChoice(reading, false));
  if (!scan.atEnd() && !scan.take(/\r\n|\n|\r/y)) scan.fail(`a line must end after rule ${name}`);
}

function readChoice(reading: Reading, nested: boolean): Expression {
  const { scan } = reading;
  const items = [readSequence(reading, nested)];
  while (scan.take(/(?:[ \t\r\n]|#[^\r\n]*)*\|/y)) {
    skipBlank(scan, true);
    items.push(readSequence(reading, nested));
  }
  return choice(...items);
}

function readSequence(reading: Reading, nested: boolean): Expression {
  const items: Expression[] = [];
  for (;;) {
    const item = readItem(reading);
    if (!item) return sequence(...items);
    items.push(repeated(reading.scan, item));
    skipBlank(reading.scan, nested);
  }
}

function readItem(reading: Reading): Expression | undefined {
  const { scan, asked } = reading;
  if (scan.take(/"/y)) return readLiteral(scan);
  if (scan.take(/\[/y)) return oneCharacter(readClass(scan));
  if (scan.take(/\./y)) return oneCharacter(anyCodePoint);
  if (scan.take(/\(/y)) return readGroup(reading);
  if (scan.at(/[<!]/y)) scan.fail("a token stands for itself in literals only", undefined, true);
  const at = scan.position();
  const name = scan.take(NAME);
  if (name && !asked.has(name)) asked.set(name, at);
  return name ? rule(name) : undefined;
}

function readGroup(reading: Reading): Expression {
  const { scan } = reading;
  const at = scan.position() - 1;
  skipBlank(scan, true);
  const inner = readChoice(reading, true);
  skipBlank(scan, true);
  if (!scan.take(/\)/y)) scan.fail("a group must be closed by )", at);
  return inner;
}

function readLiteral(scan: Scanner): Expression {
  const at = scan.position() - 1;
  let text = "";
  while (!scan.take(/"/y)) {
    if (scan.at(/[\r\n]|$/y)) scan.fail('a literal must be closed by "', at);
    text += String.fromCodePoint(scalar(scan, readCharacter(scan)));
  }
  return literal(text);
}

function readClass(scan: Scanner): CodePointSet {
  const at = scan.position() - 1;
  const negated = scan.take(/\^/y) !== "";
  const ranges: [number, number][] = [];
  while (!scan.take(/\]/y)) {
    if (scan.at(/[\r\n]|$/y)) scan.fail("a character class must be closed by ]", at);
    const first = readCharacter(scan);
    const last = scan.take(/-(?!\])/y) ? readCharacter(scan) : first;
    if (last < first) scan.fail("a range must go upward", at);
    ranges.push([first, last]);
  }
  const set = codePointSet(ranges);
  return negated ? complement(set) : set;
}

const escapes: ReadonlyMap<string, number> = new Map(
  Object.entries({ n: 10, r: 13, t: 9, "\\": 0x5c, '"': 0x22, "[": 0x5b, "]": 0x5d }),
);

function readCharacter(scan: Scanner): number {
  if (!scan.take(/\\/y)) return (scan.take(/./suy) as string).codePointAt(0) as number;
  const hex = scan.take(/x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}/y);
  if (hex) return Number.parseInt(hex.slice(1), 16);
  const known = escapes.get(scan.take(/./suy));
  return known ?? scan.fail('\\ must be followed by n r t \\ " [ ] xHH uHHHH or UHHHHHHHH');
}

function scalar(scan: Scanner, codePoint: number): number {
  const whole = codePoint <= 0x10ffff && !(codePoint >= 0xd800 && codePoint <= 0xdfff);
  return whole ? codePoint : scan.fail("a character must be a Unicode scalar value");
}

function repeated(scan: Scanner, item: Expression): Expression {
  let e = item;
  for (;;) {
    const at = scan.position();
    const range = scan.take(/[ \t]*(?:[*+?]|\{\s*\d+\s*(?:,\s*\d*\s*)?\})/y).trim();
    if (!range) {
      if (scan.at(/[ \t]*\{/y)) scan.fail("a repetition must be {m}, {m,} or {m,n}");
      return e;
    }
    const [min, max] = bounds(range);
    if (max < min) scan.fail("a repetition must have max ≥ min", at);
    e = repeat(e, min, max);
  }
}

const marks: ReadonlyMap<string, readonly [number, number]> = new Map([
  ["*", [0, Infinity]],
  ["+", [1, Infinity]],
  ["?", [0, 1]],
]);

function bounds(range: string): readonly [min: number, max: number] {
  const [least = "0", most] = range.replaceAll(/[{}\s]/g, "").split(",");
  const max = most === undefined ? least : most || "Infinity";
  return marks.get(range) ?? [Number(least), Number(max)];
}
