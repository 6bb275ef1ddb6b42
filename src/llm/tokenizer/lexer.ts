/**
 * Cuts UTF-8 into pre-tokens the way the well-known split patterns do, without running a regular
 * expression: one flat function for GPT-2's pattern and one for the family of cl100k_base, which
 * differs only in its contractions and in how many digits stand together. Each function returns
 * exactly what the regular expression would match at `start`; a fuzz test compares them.
 *
 * Knows no other pattern: `tryLexer` then answers undefined and the caller runs the expression.
 */

import { asciiClasses, characterAt, LETTER, NEWLINE, NUMBER, OTHER, SPACE } from "./code-points.ts";

/** End of the pre-token that begins at `start`; start < end, and nothing exists from `end` on. */
export type Lexer = (bytes: Uint8Array, start: number, end: number) => number;

/** Which letters a contraction may have: lower case, any ASCII case, or Unicode's folds (ſ). */
export type Contractions = "lower" | "ascii" | "folded";

const CONTRACTIONS: readonly (readonly [string, Contractions])[] = [
  ["'(?:[sdmt]|ll|ve|re)", "lower"],
  ["'s|'t|'re|'ve|'m|'ll|'d", "lower"],
  ["'(?:[sdmtSDMT]|[lL][lL]|[vV][eE]|[rR][eE])", "ascii"],
  ["('s|'S|'t|'T|'re|'rE|'Re|'RE|'ve|'vE|'Ve|'VE|'m|'M|'ll|'lL|'Ll|'LL|'d|'D)", "ascii"],
  ["(?i:'s|'t|'re|'ve|'m|'ll|'d)", "folded"],
  ["'(?i:[sdmt]|ll|ve|re)", "folded"],
];

const GPT2_REST = "| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const FAMILY_WORDS = "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|";
const FAMILY_NUMBERS: readonly (readonly [string, number])[] = [
  ["\\p{N}", 1],
  ["\\p{N}{1,2}", 2],
  ["\\p{N}{1,3}", 3],
];
const FAMILY_REST = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** What a known pattern does, for programs that cut text as we do. */
export type LexerRule =
  | { readonly family: "gpt-2"; readonly contractions: Contractions }
  /** `digits` stand together at most. */
  | { readonly family: "cl100k"; readonly contractions: Contractions; readonly digits: number };

const rules: ReadonlyMap<string, LexerRule> = new Map(
  CONTRACTIONS.flatMap(([spelling, contractions]): [string, LexerRule][] => [
    [spelling + GPT2_REST, { family: "gpt-2", contractions }],
    ...FAMILY_NUMBERS.map(([numbers, digits]): [string, LexerRule] => [
      spelling + FAMILY_WORDS + numbers + FAMILY_REST,
      { family: "cl100k", contractions, digits },
    ]),
  ]),
);

/** What a split pattern does, or undefined when it is not a known one. */
export function findLexerRule(pattern: string): LexerRule | undefined {
  return rules.get(pattern);
}

/** The lexer that equals a split pattern, or undefined when the pattern is not a known one. */
export function tryLexer(pattern: string): Lexer | undefined {
  const rule = rules.get(pattern);
  if (rule === undefined) return undefined;
  return rule.family === "gpt-2"
    ? createGpt2Lexer(rule.contractions)
    : createFamilyLexer(rule.contractions, rule.digits);
}

const APOSTROPHE = 0x27;
const BLANK = 0x20;

/** `'s|'t|'re|… | ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+` */
function createGpt2Lexer(contractions: Contractions): Lexer {
  return (bytes, start, end) => {
    const first = bytes[start] as number;
    if (first === APOSTROPHE) {
      const length = contractionLength(bytes, start + 1, end, contractions);
      if (length > 0) return start + 1 + length;
    }
    let at = start;
    if (first === BLANK && start + 1 < end) at++;
    const character = characterAt(bytes, at, end);
    const kind = character & 7;
    if (kind === SPACE || kind === NEWLINE) return spaceEnd(bytes, start, end);
    return runEnd(bytes, at + (character >> 3), end, kind);
  };
}

/** `'s|… |[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,n}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+` */
function createFamilyLexer(contractions: Contractions, mostNumbers: number): Lexer {
  return (bytes, start, end) => {
    const firstByte = bytes[start] as number;
    if (firstByte === APOSTROPHE) {
      const length = contractionLength(bytes, start + 1, end, contractions);
      if (length > 0) return start + 1 + length;
    }
    const first = characterAt(bytes, start, end);
    const kind = first & 7;
    const second = start + (first >> 3);
    if (kind === LETTER) return runEnd(bytes, second, end, LETTER);
    if (kind === NUMBER) return numberEnd(bytes, second, end, mostNumbers - 1);
    if (kind === NEWLINE || second >= end) {
      return kind === OTHER ? second : lineOrSpaceEnd(bytes, start, end);
    }
    const next = characterAt(bytes, second, end);
    const nextKind = next & 7;
    if (nextKind === LETTER) return runEnd(bytes, second + (next >> 3), end, LETTER);
    if (kind === OTHER || (firstByte === BLANK && nextKind === OTHER)) {
      const last = nextKind === OTHER ? runEnd(bytes, second + (next >> 3), end, OTHER) : second;
      return newlinesEnd(bytes, last, end);
    }
    return lineOrSpaceEnd(bytes, start, end);
  };
}

/** Letters after an apostrophe that make a contraction: 1 or 2 (bytes), or 0 when they do not. */
function contractionLength(
  bytes: Uint8Array,
  at: number,
  end: number,
  contractions: Contractions,
): number {
  if (at >= end) return 0;
  // Setting bit 5 makes an ASCII letter lower case; it turns no other byte into a letter.
  const fold = contractions === "lower" ? 0 : 0x20;
  const first = (bytes[at] as number) | fold;
  if (first === 0x73 || first === 0x64 || first === 0x6d || first === 0x74) return 1; // s d m t
  if (at + 1 >= end) return 0;
  const second = bytes[at + 1] as number;
  const lower = second | fold;
  if (first === 0x6c) return lower === 0x6c ? 2 : 0; // ll
  if (first === 0x76 || first === 0x72) return lower === 0x65 ? 2 : 0; // ve re
  const longS = bytes[at] === 0xc5 && second === 0xbf; // ſ, which folds to s
  return contractions === "folded" && longS ? 2 : 0;
}

/** End of the run of characters of one class. */
function runEnd(bytes: Uint8Array, from: number, end: number, kind: number): number {
  let at = from;
  while (at < end) {
    const byte = bytes[at] as number;
    if (byte < 0x80) {
      if (asciiClasses[byte] !== kind) return at;
      at++;
    } else {
      const character = characterAt(bytes, at, end);
      if ((character & 7) !== kind) return at;
      at += character >> 3;
    }
  }
  return at;
}

function numberEnd(bytes: Uint8Array, from: number, end: number, most: number): number {
  let at = from;
  for (let left = most; left > 0 && at < end; left--) {
    const character = characterAt(bytes, at, end);
    if ((character & 7) !== NUMBER) return at;
    at += character >> 3;
  }
  return at;
}

function newlinesEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && (bytes[at] === 0x0a || bytes[at] === 0x0d)) at++;
  return at;
}

/** `\s+(?!\S)|\s+`: all white space at the end of the text, else all but the last character. */
function spaceEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let last = start;
  while (at < end) {
    const character = characterAt(bytes, at, end);
    const kind = character & 7;
    if (kind !== SPACE && kind !== NEWLINE) return last > start ? last : at;
    last = at;
    at += character >> 3;
  }
  return at;
}

/** `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the last line break of the white space, if there is one. */
function lineOrSpaceEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let last = start;
  let line = start;
  while (at < end) {
    const character = characterAt(bytes, at, end);
    const kind = character & 7;
    if (kind !== SPACE && kind !== NEWLINE) break;
    last = at;
    at += character >> 3;
    if (kind === NEWLINE) line = at;
  }
  if (line > start) return line;
  return at === end || last === start ? at : last;
}
