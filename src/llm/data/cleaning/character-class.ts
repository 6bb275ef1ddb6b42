/**
 * What a UTF-16 unit is to the quality rules, as bits. One table look-up a unit: ASCII by hand,
 * the rest by ranges, and everything unlisted above U+00BF is a letter (surrogates too: an emoji
 * then is one, which no rule minds).
 */
export const BLANK = 1;
export const LETTER = 2;
export const DIGIT = 4;
/** Ends a sentence or closes a quotation. */
export const TERMINAL = 8;
export const BULLET = 16;
export const ELLIPSIS = 32;
/** Counted against words by Gopher. */
export const SYMBOL = 64;
export const OPEN_BRACE = 128;
/** A letter of a script that is written without spaces between words. */
export const UNSPACED = 256;

const OTHER = 0;

const classes = new Uint16Array(0x10000);

/** First unit, last unit, bits; later rows win. */
const ranges: readonly (readonly [first: number, last: number, bits: number])[] = [
  [0x00, 0x20, BLANK],
  [0x21, 0x7f, OTHER],
  [0x30, 0x39, DIGIT],
  [0x41, 0x5a, LETTER],
  [0x61, 0x7a, LETTER],
  [0x80, 0xbf, OTHER],
  [0xa0, 0xa0, BLANK],
  [0xaa, 0xaa, LETTER],
  [0xb5, 0xb5, LETTER],
  [0xba, 0xba, LETTER],
  [0xc0, 0xffff, LETTER],
  [0xd7, 0xd7, OTHER],
  [0xf7, 0xf7, OTHER],
  [0x0e00, 0x0eff, LETTER | UNSPACED], // Thai, Lao
  [0x1000, 0x109f, LETTER | UNSPACED], // Myanmar
  [0x1780, 0x17ff, LETTER | UNSPACED], // Khmer
  [0x2000, 0x200a, BLANK],
  [0x200b, 0x206f, OTHER],
  [0x2028, 0x2029, BLANK],
  [0x202f, 0x202f, BLANK],
  [0x205f, 0x205f, BLANK],
  [0x2070, 0x2bff, OTHER],
  [0x2e00, 0x2e7f, OTHER],
  [0x3000, 0x3000, BLANK],
  [0x3001, 0x303f, OTHER],
  [0x3040, 0x30ff, LETTER | UNSPACED], // kana
  [0x3400, 0x9fff, LETTER | UNSPACED], // Han
  [0xfe10, 0xfe6f, OTHER],
  [0xff00, 0xff0f, OTHER],
];

/** Bits that single characters have besides those of their range. */
const marks: readonly (readonly [characters: string, bits: number])[] = [
  [".!?\"'\u201d\u2019\u00bb\u3002\uff01\uff1f\u061f\u06d4\u0964", TERMINAL],
  ["\u2022\u2023\u25e6\u25aa\u25cf\u00b7*-\u2013", BULLET],
  ["\u2026", ELLIPSIS],
  ["#", SYMBOL],
  ["{", OPEN_BRACE],
];

for (const [first, last, bits] of ranges) classes.fill(bits, first, last + 1);
for (const [characters, bits] of marks) {
  for (const character of characters) {
    const unit = character.charCodeAt(0);
    classes[unit] = (classes[unit] as number) | bits;
  }
}

/** @param unit a UTF-16 code unit */
export function classOf(unit: number): number {
  return classes[unit] as number;
}
