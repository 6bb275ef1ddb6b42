/**
 * What the lexer knows about characters: how long a UTF-8 sequence is, and whether its character
 * is a letter (\p{L}), a number (\p{N}), white space (\p{White_Space}), a line break (\r \n) or
 * none of these.
 *
 * The classes are the engine's own, asked for 256 code points at a time when a text first needs
 * them, so nothing is paid at start. A byte that begins no well-formed sequence counts as one
 * character of class OTHER, as U+FFFD would.
 */

export const LETTER = 1;
export const NUMBER = 2;
export const SPACE = 3;
export const NEWLINE = 4;
export const OTHER = 5;

const UNKNOWN = 0;
const BLOCK = 256;

/** Class of each code point; UNKNOWN until its block was asked for. */
const classes = new Uint8Array(0x110000);

const RULES: readonly (readonly [RegExp, number])[] = [
  [/^\p{L}/u, LETTER],
  [/^\p{N}/u, NUMBER],
  [/^[\r\n]/u, NEWLINE],
  [/^\p{White_Space}/u, SPACE],
];

function classify(codePoint: number): number {
  const character = String.fromCodePoint(codePoint);
  return RULES.find(([rule]) => rule.test(character))?.[1] ?? OTHER;
}

function fillBlock(codePoint: number): number {
  const first = codePoint - (codePoint % BLOCK);
  for (let at = first; at < first + BLOCK; at++) classes[at] = classify(at);
  return classes[codePoint] as number;
}
fillBlock(0);

/** Class of each ASCII byte. */
export const asciiClasses: Uint8Array = classes.slice(0, 128);

/**
 * The character at `at`: its class in the low three bits, its length in bytes above them.
 * @param end bytes from here on do not exist
 */
export function characterAt(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] as number;
  if (lead < 0x80) return (classes[lead] as number) | 8;
  const length = sequenceLength(bytes, at, end);
  if (length === 1) return OTHER | 8;
  let codePoint = lead & (0x7f >> length);
  for (let i = 1; i < length; i++) codePoint = (codePoint << 6) | ((bytes[at + i] as number) & 63);
  const known = classes[codePoint] as number;
  return (known === UNKNOWN ? fillBlock(codePoint) : known) | (length << 3);
}

/**
 * Bytes of the well-formed UTF-8 sequence at `at`, or 1 for a byte that begins none.
 * @see The Unicode Standard, table 3-7
 */
export function sequenceLength(bytes: Uint8Array, at: number, end: number): 1 | 2 | 3 | 4 {
  const lead = bytes[at] as number;
  if (lead < 0xc2 || lead > 0xf4) return 1;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + length > end) return 1;
  const second = bytes[at + 1] as number;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 1;
  for (let i = 2; i < length; i++) if (((bytes[at + i] as number) & 0xc0) !== 0x80) return 1;
  return length;
}
