/**
 * Text of foreign origin that is shown to a person: nothing in it can move a cursor, change a
 * colour, turn the reading direction or hide. What could is written as `\u{…}`.
 */

/** Controls, invisible format characters (bidi, zero width, tags), line separators, surrogates. */
const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** As `hidden`; but a reply has lines and tabs, and emoji are joined by U+200D. */
const hiddenInLines = /(?![\n\t\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** One line; @param maxLength in UTF-16 units, the rest is counted */
export function inertLine(text: string, maxLength: number = Number.POSITIVE_INFINITY): string {
  if (text.length <= maxLength) return text.replace(hidden, escaped);
  const rest = text.length - maxLength;
  return `${text.slice(0, maxLength).replace(hidden, escaped)}… (${rest} more)`;
}

/** As it stands, lines and tabs kept. */
export function inertLines(text: string): string {
  return text.replace(hiddenInLines, escaped);
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
}
