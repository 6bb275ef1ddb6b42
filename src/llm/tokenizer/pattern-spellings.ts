/**
 * Split patterns as other tools write them in their files, and the pattern that runs here.
 *
 * Newer files use possessive quantifiers, which JavaScript lacks. In these patterns they change
 * nothing: what follows could never take the characters back. So a spelling of the table becomes
 * an equal pattern that a lexer knows, or one that JavaScript runs. Of the others JavaScript runs
 * what it reads as the writer did; the rest is refused by name.
 */

import { NutshellError } from "../../error.ts";
import { GPT2_PATTERN } from "./pattern.ts";

const R = String.raw;
const FOLDED = R`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+`;
const MARKS = R` ?[^\s\p{L}\p{N}]+[\r\n]*`;
const BLANKS = R`\s*[\r\n]+|\s+(?!\S)|\s+`;
/** What the text ends in, where `$` is the end of the text and not of a line. */
const LAST_BLANKS = R`\s+(?![\s\S])`;

/** Spelling → what runs. From tiktoken 0.5 to 0.12 and nanochat. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  [
    R`'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s`,
    GPT2_PATTERN,
  ],
  [
    R`'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`,
    R`${FOLDED}|\p{N}{1,3}|${MARKS}|${BLANKS}`,
  ],
  [
    R`'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s`,
    R`${FOLDED}|\p{N}{1,3}|${MARKS}|${LAST_BLANKS}|${BLANKS}`,
  ],
  [
    R`'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`,
    R`${FOLDED}|\p{N}{1,2}|${MARKS}|${BLANKS}`,
  ],
]);

/** What means one thing to the tools that write these files and another to JavaScript. */
const FOREIGN_ESCAPE = /\\[wWbBhHAzZGRXK]|\[\[:|&&/;
const FOREIGN_OUTSIDE_CLASS = /[.^$]/;
const ESCAPE_OR_CLASS = /\\.|\[(?:\\.|[^\]\\])*\]/gu;

/**
 * @param regex a pattern from a file of another tool  @param file its name, for the error
 * @returns the pattern that runs here, in the dialect of `pattern.ts`
 * @throws TOKENIZER when JavaScript would read the expression in another way
 */
export function fromForeignPattern(regex: string, file: string): string {
  const equal = SPELLINGS.get(regex);
  if (equal !== undefined) return equal;
  const outside = regex.replace(ESCAPE_OR_CLASS, "");
  const odd = FOREIGN_ESCAPE.exec(regex)?.[0] ?? FOREIGN_OUTSIDE_CLASS.exec(outside)?.[0];
  if (odd === undefined) return regex.replaceAll("\\d", "\\p{Nd}").replaceAll("\\D", "\\P{Nd}");
  throw new NutshellError(
    "TOKENIZER",
    `tokenizer: ${file}: the split pattern must mean the same in JavaScript, got ` +
      `${JSON.stringify(odd)} in ${JSON.stringify(regex)}. Write it with classes such as \\p{L}.`,
  );
}

/** JavaScript's `\s`: U+FEFF is in it, U+0085 is not, against Unicode's White_Space. */
const JAVASCRIPT_SPACES = R`\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff`;

/** The same pattern with `\s` as JavaScript reads it, for files whose patterns are JavaScript's. */
export function withJavaScriptSpaces(pattern: string): string {
  return pattern
    .replaceAll("[^\\s", `[^${JAVASCRIPT_SPACES}`)
    .replaceAll("\\s", `[${JAVASCRIPT_SPACES}]`)
    .replaceAll("\\S", `[^${JAVASCRIPT_SPACES}]`);
}
