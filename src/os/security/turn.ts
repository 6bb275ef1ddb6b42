/**
 * What the user typed in this turn. A value that stands in it whole, between spaces or punctuation,
 * is the user's own: whoever else had a hand in the call could only pick which of the user's values
 * it is, and those are counted in bits. No part of a word, nothing out of a longer address, and
 * nothing out of a mail that is quoted: lines that begin with ">" are somebody else's.
 */
import type { Source } from "./label.ts";
import type { Json } from "./labelled.ts";
import { isUnder, toPath, toUrl } from "./place.ts";

export interface Turn {
  readonly text: string;
  /** Every run of so many words, as it stands and without the punctuation around it. */
  spans(words: number): readonly string[];
  /** How many runs of words there are, of any length. */
  readonly runs: number;
}

/** Values of up to so many words may stand between punctuation; longer ones between spaces. */
const maxSpan = 8;
/** What a person types; whatever comes after so many characters was pasted, and is not looked at. */
const maxChars = 2 ** 16;
const quoted = /^[ \t]*>.*$/gm;
/** "1." before the first of several things to do is nobody's value. */
const listMark = /(^|[\n\r]|[.:;!?]["'”’)]?\s)\s{0,8}\(?(?:\d{1,3}|[a-zA-Z])[.)](?=\s)/g;

/** Nothing is taken apart before it is asked for: most calls are reads. */
export function readTurn(typed: string = ""): Turn {
  const text = typed.slice(0, maxChars).replaceAll(quoted, "");
  const known = new Map<number, readonly string[]>();
  let words: readonly string[] | undefined;
  const spans = (length: number): readonly string[] => {
    words ??= text
      .replaceAll(listMark, "$1\0")
      .split(/\s+/)
      .filter((word) => word !== "");
    const made = known.get(length) ?? spansOf(words, length);
    known.set(length, made);
    return made;
  };
  const count = text.split(/\s+/).length;
  return { text, spans, runs: (count * (count + 1)) / 2 };
}

function spansOf(words: readonly string[], length: number): readonly string[] {
  const runs = words.map((_, start) => words.slice(start, start + length));
  const whole = runs.filter((run) => run.length === length).map((run) => run.join(" "));
  return [...new Set(whole.flatMap((text) => [text, bare(text)]))];
}

/** Ends of files' names that hosts have too: a stranger may own the host `install.sh`. */
const fileEnd = /\.(?:cab|cc|gd|md|mk|ml|mov|pages|pl|pm|ps|pub|py|rs|sh|tf|zip)$/i;

/** What a person types to say where: a host's name that may be a file's needs its scheme. */
function isPlace(word: string): boolean {
  return /[:/]/.test(word) || /^www\./i.test(word) || !fileEnd.test(word);
}

/** How two texts can be one value, by what they are to the outside. */
type Same = (typed: string, value: string) => boolean;

const sameText: Same = (typed, value) => {
  return typed === value || (isAddress(value) && typed.toLowerCase() === value.toLowerCase());
};

const sames: Readonly<Record<string, Same>> = {
  url: (typed, value) => {
    const [a, b] = [toUrl(typed), toUrl(value)];
    if (a === undefined || b === undefined || !/[.:/]/.test(typed)) return false;
    return a.href === b.href || (!typed.includes("://") && a.href.slice(6) === b.href.slice(5));
  },
  path: (typed, value) => {
    const [a, b] = [toPath(typed), toPath(value)];
    return a !== undefined && b !== undefined && isUnder(a, b) && isUnder(b, a);
  },
};

/** @param sink what the value is to the outside: URLs and paths may be written in several ways */
export function standsIn(value: Json, turn: Turn, sink: string = ""): boolean {
  if (typeof value === "number") return turn.spans(1).some((word) => toNumber(word) === value);
  if (typeof value !== "string" || value.trim() !== value || /^$|\0/.test(value)) return false;
  const same = sames[sink] ?? sameText;
  const length = value.split(/\s+/).length;
  if (length > maxSpan) return ` ${turn.text} `.includes(` ${value} `);
  return turn.spans(length).some((span) => {
    if (sink === "url" && !isPlace(span)) return false;
    return sameText(span, value) || same(span, value) || sameNumeral(span, value);
  });
}

/** Bits that picking this value out of all that are of its form could carry. */
export function bitsOfChoice(value: Json, turn: Turn): number {
  const text = String(value);
  const form = formOf(text);
  const words = text.split(/\s+/).length;
  if (words > maxSpan) return Math.log2(turn.runs);
  const lengths = Array.from({ length: words === 1 ? 1 : maxSpan }, (_, i) => i + 1);
  const alike = lengths
    .flatMap((length) => turn.spans(length))
    .map(bare)
    .filter((span) => formOf(span) === form);
  return Math.log2(Math.max(1, new Set(alike).size));
}

/** The user said its name: a file by its whole path, a page's origin by its host. */
export function isNamed(source: Source, turn: Turn): boolean {
  const [, kind, name] = /^([a-z]+):([\s\S]*)$/.exec(source) ?? [];
  if (name === undefined) return false;
  if (kind === "file") return /[./]/.test(name) && standsIn(name, turn, "path");
  if (kind !== "origin") return false;
  const host = toUrl(name)?.host;
  return host !== undefined && turn.spans(1).some((word) => isHost(word, host));
}

function isHost(word: string, host: string): boolean {
  return /[.:/]/.test(word) && isPlace(word) && toUrl(word)?.host === host;
}

const opening = "\"'`([{<«“‘*";
const closing = "\"'`)]}>»”’.,;:!?…*";

/** Without quotes, brackets and the sentence's own punctuation; by steps, for a regex would crawl. */
function bare(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && opening.includes(text[start] ?? "")) start += 1;
  while (start < end && closing.includes(text[end - 1] ?? "")) end -= 1;
  return text.slice(start, end).replace(/['’]s$/, "");
}

function toNumber(word: string): number | undefined {
  const numeral = toNumeral(word);
  return numeral === undefined ? undefined : Number(numeral);
}

/** Digits as a call would write them: no currency, no percent, no commas between thousands. */
function toNumeral(word: string): string | undefined {
  const digits = word.replaceAll(/^[$€£¥]|[$€£¥%]$/g, "").replaceAll(/,(?=\d{3}(?:\D|$))/g, "");
  return /^-?\d+(?:\.\d+)?$/.test(digits) ? digits : undefined;
}

function sameNumeral(span: string, value: string): boolean {
  return toNumeral(span) === value;
}

function isAddress(text: string): boolean {
  return /^[^@\s/:]+@[^@\s/:]+$/.test(text);
}

const forms = [/@/, /:\/\/|^www\./, /\d/];

function formOf(text: string): number {
  return forms.findIndex((form) => form.test(text));
}
