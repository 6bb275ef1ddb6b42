/**
 * Tokens of trigger search: words (letters and digits, case folded) and, unlike the words of
 * near-duplicate search, runs of other characters, for a trigger may be "<|x|>" or "§§" as well.
 * Line breaks and both ends of a document are tokens too: what stands beside a trigger tells
 * whether it belongs there.
 */

import { finish } from "./minhash-words.ts";

/** Ids of the tokens that are no text. */
export const START = 0;
export const END = 1;
export const LINE_BREAK = 2;
/** Ids from here on are text. */
export const FIRST_TEXT = 3;

const SPACE = 0;
const WORD = 1;
const SYMBOL = 2;
const NEW_LINE = 3;
const SKIPPED = 4;

/** Longer words and runs are kept by their first characters only. */
const MOST_CHARACTERS = 32;

/**
 * Called for each token in text order.
 * @param hash 32 bits; words and symbols never share one by design of their seeds
 */
export type VisitToken = (hash: number, start: number, end: number) => void;

let kinds: Uint8Array | undefined;
let folded: Uint16Array | undefined;

/** @param visit gets hash 0 for a line break; breaks in a row count once */
export function visitTokens(text: string, visit: VisitToken): void {
  kinds ??= Uint8Array.from({ length: 0x10000 }, (_, unit) => kindOf(unit));
  folded ??= Uint16Array.from({ length: 0x10000 }, (_, unit) => fold(unit));
  let open = SPACE;
  let hash = 0;
  let start = 0;
  let end = 0;
  let last = -1;
  let broken = true;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const kind = kinds[unit] as number;
    if (kind === SKIPPED) continue;
    if (open !== SPACE && kind !== open) {
      visit((finish(hash) | 1) >>> 0, start, end);
      open = SPACE;
    }
    if (kind === SPACE) continue;
    if (kind === NEW_LINE) {
      if (!broken) visit(0, i, i + 1);
      broken = true;
      continue;
    }
    if (open === SPACE) {
      open = kind;
      start = i;
      hash = kind === WORD ? 0x811c9dc5 : 0x01234567;
      last = -1;
      broken = false;
    }
    // A rule of dashes is one token whatever its length.
    if (kind === WORD || unit !== last)
      hash = Math.imul(hash ^ (folded[unit] as number), 0x01000193);
    last = unit;
    end = i + 1;
  }
  if (open !== SPACE) visit((finish(hash) | 1) >>> 0, start, end);
}

/** The token's text, flat and short, so that it does not keep the document alive. */
export function tokenText(text: string, start: number, end: number): string {
  const units: number[] = [];
  for (let i = start; i < end && units.length < MOST_CHARACTERS; i++) {
    const unit = text.charCodeAt(i);
    if ((kinds as Uint8Array)[unit] !== SKIPPED)
      units.push((folded as Uint16Array)[unit] as number);
  }
  return String.fromCharCode(...units);
}

function kindOf(unit: number): number {
  const character = String.fromCharCode(unit);
  if (unit >= 0xd800 && unit < 0xe000) return WORD;
  if (/['\u2019\p{Cf}]/u.test(character)) return SKIPPED;
  if (/[\p{L}\p{M}\p{N}]/u.test(character)) return WORD;
  if (character === "\n") return NEW_LINE;
  return /\s/.test(character) ? SPACE : SYMBOL;
}

function fold(unit: number): number {
  const lower = String.fromCharCode(unit).toLowerCase();
  return lower.length === 1 ? lower.charCodeAt(0) : unit;
}
