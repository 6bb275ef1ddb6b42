/**
 * One form for texts that look the same: NFC (not for code), LF line ends, no control or invisible
 * characters, no spaces at line ends, at most two blank lines in a row. Ordinary text comes back
 * as the very same string. Applying it twice changes nothing more.
 *
 * Invisible: zero-width spaces, byte order marks, soft hyphens, bidirectional overrides and
 * isolates, tag characters outside flags: all of them can carry text that people do not see.
 * Joiners (U+200C, U+200D) stay where a script or an emoji needs them. U+0080 … U+009F, which no
 * text holds, are read as the Windows-1252 quotes and dashes they were, as the HTML standard does.
 */
export interface NormalisedText {
  readonly text: string;
  /** Invisible characters taken out, control characters included. */
  readonly invisible: number;
}

/** Anything that a pass might change; one scan decides for nearly every text. */
const SUSPICIOUS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it looks for
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u180e\u200b-\u200d\u202a-\u202e\u2060-\u2069\ufeff\udb40]|[ \t]\n|\n\n\n\n|[ \t]$/;

/** @param nfc false for code, whose bytes are meant as they are */
export function normaliseText(text: string, nfc: boolean): NormalisedText {
  let current = nfc ? composed(text) : text;
  let invisible = 0;
  // What one pass takes out may join what the next one composes: repeat until nothing changes.
  while (SUSPICIOUS.test(current)) {
    const kept = removeInvisible(current);
    const tidied = tidyLines(kept);
    invisible += countRemoved(current, kept);
    const next = nfc ? composed(tidied) : tidied;
    if (next === current) break;
    current = next;
  }
  return { text: current, invisible };
}

/** Everything below U+0300 is composed already. */
function composed(text: string): string {
  return /[\u0300-\uffff]/.test(text) ? text.normalize("NFC") : text;
}

/** CR of CR LF is a line end, not an invisible character. */
function countRemoved(before: string, after: string): number {
  return before.length - after.length;
}

const always = new Set<number>([0xad, 0x180e, 0x200b, 0xfeff]);
const ZWNJ = 0x200c;
const ZWJ = 0x200d;

function isInvisible(unit: number): boolean {
  if (unit < 0x20) return unit < 9 || unit > 13;
  if (unit < 0x7f) return false;
  if (unit <= 0x9f) return true;
  if (unit >= 0x202a && unit <= 0x202e) return true;
  if (unit >= 0x2060 && unit <= 0x2069) return true;
  return always.has(unit);
}

/** Windows-1252 from 0x80 on; a blank where it has nothing. */
const windows1252 =
  "\u20ac \u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152 \u017d " +
  " \u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153 \u017e\u0178";

/** What a misread character was; empty for all others. */
function repaired(unit: number): string {
  return unit < 0x80 || unit > 0x9f ? "" : (windows1252[unit - 0x80] as string).trim();
}

function removeInvisible(text: string): string {
  let out = "";
  let from = 0;
  let last = 0; // the last unit that stays
  let inFlag = false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const mended = repaired(unit);
    if (mended !== "") {
      out += text.slice(from, i) + mended;
      from = i + 1;
      last = mended.charCodeAt(0);
      continue;
    }
    let drop = 0;
    if (isInvisible(unit)) drop = 1;
    else if (unit === ZWNJ || unit === ZWJ) drop = joins(last, nextVisible(text, i + 1)) ? 0 : 1;
    else if (unit === 0xdb40 && isTag(text.charCodeAt(i + 1))) drop = inFlag ? 0 : 2;
    else if (unit !== 0xdb40 && !isTag(unit)) inFlag = isBlackFlag(text, i);
    if (drop > 0) {
      out += text.slice(from, i);
      i += drop - 1;
      from = i + 1;
    } else last = unit;
  }
  return from === 0 ? text : out + text.slice(from);
}

/** Second half of U+E0000 … U+E007F, which spells out ASCII invisibly. */
function isTag(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdc7f;
}

/** U+1F3F4, which tags turn into the flag of a region; true for its second half too. */
function isBlackFlag(text: string, i: number): boolean {
  const unit = text.charCodeAt(i);
  if (unit === 0xd83c) return text.charCodeAt(i + 1) === 0xdff4;
  return unit === 0xdff4 && text.charCodeAt(i - 1) === 0xd83c;
}

function nextVisible(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (!isInvisible(unit) && unit !== ZWNJ && unit !== ZWJ) return unit;
  }
  return 0;
}

/** A joiner does something between two characters beyond Latin only. */
function joins(before: number, after: number): boolean {
  return isBeyondLatin(before) && isBeyondLatin(after);
}

function isBeyondLatin(unit: number): boolean {
  return unit > 0x36f && !(unit >= 0x1e00 && unit <= 0x206f) && unit !== 0x3000;
}

/** A line feed, a page break, or a carriage return with or without a line feed after it. */
function endsLine(unit: number): boolean {
  return unit >= 10 && unit <= 13;
}

/** LF line ends, no spaces before them, runs of blank lines cut to two. */
function tidyLines(text: string): string {
  let out = "";
  let from = 0;
  let feeds = 0;
  let i = 0;
  while (i <= text.length) {
    const unit = i < text.length ? text.charCodeAt(i) : 10;
    if (!endsLine(unit)) {
      if (unit !== 32 && unit !== 9) feeds = 0;
      i++;
      continue;
    }
    let end = i;
    while (end > from && isSpace(text.charCodeAt(end - 1))) end--;
    out += text.slice(from, end);
    if (i === text.length) return out === text ? text : out;
    if (unit === 13 && text.charCodeAt(i + 1) === 10) i++;
    i++;
    if (feeds++ < 3) out += "\n";
    from = i;
  }
  return out;
}

function isSpace(unit: number): boolean {
  return unit === 32 || unit === 9;
}
