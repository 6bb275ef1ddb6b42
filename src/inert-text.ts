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

/** For what names somebody or some place: ASCII alone, and a backslash as two, so that it reads back. */
export function inertName(text: string): string {
  return text.replaceAll("\\", "\\\\").replace(/[^ -~]/gu, escaped);
}

/** Controls and format characters, what is not assigned or looks like nothing, spaces that are none. */
const unseen = /[\p{C}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]|[\ufe00-\ufe0f]|(?! )\p{Zs}/gu;
/** A third mark on one letter and all that follow: they run over the lines above and below. */
const stacked = /(?<=\p{M}\p{M})\p{M}/gu;
const foreign = /(?![\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}])./gu;

/**
 * One line that a person decides by: any script, but no letter of another script in a Latin word,
 * which is how one name is dressed up as another; a backslash as two, so that it reads back.
 */
export function inertContent(text: string): string {
  const plain = text.replaceAll("\\", "\\\\").replace(unseen, escaped).replace(stacked, escaped);
  return plain.replace(/[\p{L}\p{M}\p{N}]+/gu, (word) => {
    return /\p{Script=Latin}/u.test(word) ? word.replace(foreign, escaped) : word;
  });
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
}
