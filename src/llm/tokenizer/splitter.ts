/**
 * Walks the pre-tokens of a text as ranges of its UTF-8 bytes: by a hand-written lexer where the
 * pattern is a known one, by the regular expression otherwise. Lone surrogates become U+FFFD on
 * the way; bytes that are not UTF-8 stay as they are and are classed like U+FFFD, one by one.
 *
 * Invariant: the ranges follow each other without gaps and cover everything. Text that the
 * expression does not match stands between matches as a pre-token of its own.
 */

import { sequenceLength } from "./code-points.ts";
import { type Lexer, tryLexer } from "./lexer.ts";
import { compilePattern } from "./pattern.ts";

/** Receives one pre-token: bytes[start … end). The array is reused; copy what must stay. */
export type VisitPiece = (bytes: Uint8Array, start: number, end: number) => void;

export interface Splitter {
  ofText(text: string, visit: VisitPiece): void;
  ofUtf8(bytes: Uint8Array, visit: VisitPiece): void;
}

/** @throws TOKENIZER when the pattern is neither known nor a regular expression */
export function createSplitter(pattern: string): Splitter {
  const lexer = tryLexer(pattern);
  return lexer === undefined ? regexSplitter(compilePattern(pattern)) : lexerSplitter(lexer);
}

/** Characters of a long text that are turned into bytes at a time; what fits the CPU's cache. */
const WINDOW = 1 << 15;

function lexerSplitter(lexer: Lexer): Splitter {
  const encoder = new TextEncoder();
  const usual = new Uint8Array(4 * WINDOW);

  function visitRange(bytes: Uint8Array, end: number, visit: VisitPiece): void {
    for (let at = 0; at < end; ) {
      const next = lexer(bytes, at, end);
      visit(bytes, at, next);
      at = next;
    }
  }

  function ofText(text: string, visit: VisitPiece): void {
    let bytes = usual;
    let held = 0;
    for (let from = 0; from < text.length; ) {
      const to = windowEnd(text, from);
      if (bytes.length < held + 3 * (to - from)) bytes = grown(bytes, held);
      const part = from === 0 && to === text.length ? text : text.slice(from, to);
      const end = held + encoder.encodeInto(part, bytes.subarray(held)).written;
      const cut = to === text.length ? end : lastCut(bytes, held, end);
      visitRange(bytes, cut, visit);
      if (cut > 0) bytes.copyWithin(0, cut, end);
      held = end - cut;
      from = to;
    }
  }
  return { ofText, ofUtf8: (bytes, visit) => visitRange(bytes, bytes.length, visit) };
}

/** A window never ends inside a surrogate pair. */
function windowEnd(text: string, from: number): number {
  const to = from + WINDOW;
  if (to >= text.length) return text.length;
  return (text.charCodeAt(to - 1) & 0xfc00) === 0xd800 ? to + 1 : to;
}

function grown(bytes: Uint8Array, held: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * bytes.length);
  larger.set(bytes.subarray(0, held));
  return larger;
}

/**
 * The last place after `from` where every known pattern cuts, whatever follows: before a blank
 * that stands after a visible ASCII character. 0 when there is none.
 */
function lastCut(bytes: Uint8Array, from: number, end: number): number {
  for (let at = end - 1; at > 0 && at >= from; at--) {
    if (bytes[at] !== 0x20) continue;
    const before = bytes[at - 1] as number;
    if (before > 0x20 && before < 0x7f) return at;
  }
  return 0;
}

function regexSplitter(pattern: RegExp): Splitter {
  const encoder = new TextEncoder();
  function ofUtf8(bytes: Uint8Array, visit: VisitPiece): void {
    let at = 0;
    for (const piece of splitText(toText(bytes), pattern)) {
      const start = at;
      for (const _ of piece) at += sequenceLength(bytes, at, bytes.length);
      visit(bytes, start, at);
    }
  }
  return { ofText: (text, visit) => ofUtf8(encoder.encode(text), visit), ofUtf8 };
}

/** The matches of `pattern` and what lies between them, in order; an empty match only cuts. */
export function* splitText(text: string, pattern: RegExp): Generator<string> {
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > at) yield text.slice(at, match.index);
    if (match[0].length > 0) yield match[0];
    at = match.index + match[0].length;
  }
  if (at < text.length) yield text.slice(at);
}

/** One character for each `sequenceLength` of the bytes; U+FFFD for a byte that begins none. */
function toText(bytes: Uint8Array): string {
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at, bytes.length);
    if (length === 1 && (bytes[at] as number) >= 0x80) {
      parts.push(utf8.decode(bytes.subarray(from, at)), "\ufffd");
      from = at + 1;
    }
    at += length;
  }
  parts.push(utf8.decode(bytes.subarray(from)));
  return parts.join("");
}
