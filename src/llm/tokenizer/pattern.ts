/**
 * Split patterns: regular expressions that cut text into pre-tokens before any merge, so that a
 * token never spans a word boundary. Written in the dialect that `tokenizer.json` stores and run
 * here in JavaScript's Unicode mode; every character of the input lies in exactly one match.
 */

import { NutshellError } from "../../error.ts";

/**
 * The default: contractions, words with one leading space or mark, numbers in pairs of digits,
 * runs of punctuation, white space with its line breaks.
 */
export const SPLIT_PATTERN: string =
  "'(?:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,2}" +
  "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** The pattern that a `ByteLevel` pre-tokenizer with `use_regex` stands for (GPT-2). */
export const GPT2_PATTERN: string =
  "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** The pattern of cl100k_base (GPT-4), its case-insensitive contractions spelled out in ASCII. */
export const CL100K_PATTERN: string =
  "'(?:[sdmtSDMT]|[lL][lL]|[vV][eE]|[rR][eE])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}" +
  "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/**
 * Compiles a pattern. `\s` means Unicode White_Space, as in the libraries that read the same
 * file; JavaScript's own `\s` differs from it in U+0085 and U+FEFF.
 * @throws TOKENIZER when JavaScript cannot run the expression
 */
export function compilePattern(source: string): RegExp {
  const unicode = source.replace(/\\s/g, "\\p{White_Space}").replace(/\\S/g, "\\P{White_Space}");
  try {
    return new RegExp(unicode, "gu");
  } catch (cause) {
    throw new NutshellError(
      "TOKENIZER",
      `tokenizer: the split pattern must be a regular expression of JavaScript's Unicode mode, ` +
        `got ${JSON.stringify(source)}. Possessive quantifiers, for one, are not supported.`,
      { cause },
    );
  }
}
