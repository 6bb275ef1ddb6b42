/**
 * Text as the index sees it: words of letters and digits, apart from everything else, so that a
 * word is the same word in whatever punctuation it stands; scripts that write without spaces as
 * pairs of neighbouring characters. Text and query go through the same function.
 */

/** Characters that are indexed; Postgres holds 1 MiB of distinct words a text. */
const MOST = 2 ** 17;

const unspaced = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}]+/gu;

export function wordsForIndex(text: string): string {
  const plain = text.slice(0, MOST).normalize("NFKC").toLowerCase();
  const spaced = plain.replace(unspaced, (run) => ` ${pairsOf([...run]).join(" ")} `);
  return spaced.replace(/[^\p{L}\p{M}\p{N}]+/gu, " ");
}

function pairsOf(characters: readonly string[]): readonly string[] {
  if (characters.length < 2) return characters;
  return characters.slice(1).map((character, i) => `${characters[i]}${character}`);
}
