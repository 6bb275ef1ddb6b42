/**
 * A model's text for people: exact, but what a page would hide is made visible: spaces at an end,
 * tabs, control characters, marks that turn the reading direction. Long texts are cut, and say so.
 */

/** Characters of a text that are shown, unless a caller says otherwise. */
export const SHOWN = 700;

/** C0 controls but the newline, DEL and C1, zero-width and bidirectional marks, line separators. */
const hidden =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const ends = /^[ \n]+|[ \n]+$/g;

/** @param most characters  @returns printable characters and newlines only; "" stays "" */
export function showText(text: string, most: number = SHOWN): string {
  const characters = [...text];
  const kept = characters.slice(0, most).join("");
  const { length } = characters;
  const cut = length > most ? `… (cut; ${length.toLocaleString("en-US")} in all)` : "";
  const visible = kept.toWellFormed().replace(hidden, showHidden).replace(ends, showSpaces);
  return `${visible}${cut}`;
}

/** Few fonts have pictures of control characters, so they are named by their code points. */
function showHidden(character: string): string {
  if (character === "\t") return "\u21e5";
  const code = character.charCodeAt(0).toString(16).toUpperCase();
  return `<U+${code.padStart(4, "0")}>`;
}

function showSpaces(blanks: string): string {
  return blanks.replaceAll(" ", "\u2423").replaceAll("\n", "\u21b5\n");
}
