/**
 * A model's text for people: exact, but what a page would hide is made visible: spaces at an end,
 * tabs, control characters, marks that turn the reading direction. Long texts are cut, and say so.
 */

/** Characters of a text that are shown. */
export const SHOWN = 700;

/** C0 controls but the newline, DEL and C1, zero-width and bidirectional marks, line separators. */
const hidden =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const ends = /^[ \n]+|[ \n]+$/g;

/** @returns printable characters and newlines only; "" stays "" */
export function showText(text: string): string {
  const { length } = text;
  const kept = [...text.slice(0, 2 * SHOWN)].slice(0, SHOWN).join("");
  const cut = kept.length < length ? `… (cut; ${length.toLocaleString("en-US")} in all)` : "";
  const visible = kept.toWellFormed().replace(hidden, showHidden).replace(ends, showSpaces);
  return `${visible}${cut}`;
}

/** Pictures of controls (U+2400 …) where there is one, else the code point. */
function showHidden(character: string): string {
  const code = character.charCodeAt(0);
  if (code === 0x7f) return "\u2421";
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
}

function showSpaces(blanks: string): string {
  return blanks.replaceAll(" ", "\u2423").replaceAll("\n", "\u21b5\n");
}
