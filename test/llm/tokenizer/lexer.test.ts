/**
 * The hand-written lexers against the regular expressions they stand for, run by JavaScript, on
 * text made of everything that a rule looks at; and the ranges of bytes against the characters.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { tryLexer } from "../../../src/llm/tokenizer/lexer.ts";
import {
  CL100K_PATTERN,
  compilePattern,
  GPT2_PATTERN,
  SPLIT_PATTERN,
} from "../../../src/llm/tokenizer/pattern.ts";
import { createSplitter, type Splitter, splitText } from "../../../src/llm/tokenizer/splitter.ts";

const FAMILY = "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*";
const SPACES = "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const patterns: Readonly<Record<string, string>> = {
  gpt2: GPT2_PATTERN,
  cl100k: CL100K_PATTERN,
  ours: SPLIT_PATTERN,
  qwen2: `(?i:'s|'t|'re|'ve|'m|'ll|'d)${FAMILY}${SPACES}`,
};

/** Letters, marks, numbers, white space and others of one to four bytes, and what may follow '. */
const CHARACTERS =
  "aZsStTrReEvVmMlLdDſK'’\"_-.!<|>é\u0301Ωжабש日本語한글𝒳𐐷ªǅ0129٣Ⅷ½𝟘\t\n\r\v\f \u0085\u00a0\u1680" +
  "\u2003\u2028\u2029\u202f\u3000\ufeff\u200b\u200d\ufffd\u0000\u007f€😀👩\u{e0001}\u{10ffff}";
const anyText = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...CHARACTERS) },
      { weight: 2, arbitrary: fc.constantFrom("'s", "'LL", " '", "  ", "\r\n", " \n", "'ſ") },
      { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 2 }) },
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(""));

function piecesOfText(splitter: Splitter, text: string): string[] {
  const pieces: string[] = [];
  splitter.ofText(text, (bytes, start, end) =>
    pieces.push(Buffer.from(bytes.subarray(start, end)).toString()),
  );
  return pieces;
}

/** As deepEqual, but quick to fail: only the surroundings of the first difference are shown. */
function assertSamePieces(actual: readonly string[], expected: readonly string[] | null): void {
  const wanted = expected ?? [];
  const at = wanted.findIndex((piece, i) => piece !== actual[i]);
  if (at < 0 && actual.length === wanted.length) return;
  const from = Math.max(0, (at < 0 ? wanted.length : at) - 2);
  assert.deepEqual(actual.slice(from, from + 5), wanted.slice(from, from + 5));
}

for (const [name, pattern] of Object.entries(patterns)) {
  test(`the lexer of ${name} cuts as its regular expression does`, () => {
    assert.ok(tryLexer(pattern) !== undefined, "it has a lexer");
    const splitter = createSplitter(pattern);
    const expression = compilePattern(pattern);
    const check = (text: string) =>
      assertSamePieces(piecesOfText(splitter, text), text.match(expression));
    fc.assert(
      fc.property(anyText, (text) => check(text.toWellFormed())),
      { numRuns: 4000 },
    );
    for (const first of CHARACTERS) {
      for (const second of CHARACTERS) for (const third of " a1'\n.") check(first + second + third);
    }
  });
}

test("every code point has the class that the expression gives it", () => {
  const splitter = createSplitter(CL100K_PATTERN);
  const expression = compilePattern(CL100K_PATTERN);
  for (let first = 0; first < 0x110000; first += 0x400) {
    let text = "";
    for (let point = first; point < first + 0x400; point++) {
      if (point < 0xd800 || point > 0xdfff) text += `${String.fromCodePoint(point)}a `;
    }
    assertSamePieces(piecesOfText(splitter, text), text.match(expression));
  }
});

test("a long text is cut the same wherever its windows end", () => {
  const parts = ["word ", "日本語", "  \n  ", "'s", "😀", "12345", ".\n", "x", "\t"];
  for (const pattern of Object.values(patterns)) {
    const splitter = createSplitter(pattern);
    const expression = compilePattern(pattern);
    for (const seed of [1, 2, 3]) {
      let state = seed;
      const pick = () => {
        state = (state * 48271) % 0x7fffffff;
        return parts[state % parts.length] as string;
      };
      const text = Array.from({ length: 60_000 }, pick).join("");
      assertSamePieces(piecesOfText(splitter, text), text.match(expression));
    }
    // No place to cut for many windows, and one that ends inside each surrogate pair.
    for (const text of ["日".repeat(100_000), `a${"😀".repeat(50_000)}`, " ".repeat(100_000)]) {
      assertSamePieces(piecesOfText(splitter, text), text.match(expression));
    }
  }
});

test("bytes in are pieces out, in order and without gaps, whatever the bytes", () => {
  const anyBytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.array(
      fc.constantFrom(0xe3, 0x81, 0x82, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xa0, 0x61, 0x20, 0xc0),
    ),
  );
  // The last group is one that no lexer knows.
  for (const pattern of [...Object.values(patterns), "[aeiou]|\\p{L}+(?=.)"]) {
    const splitter = createSplitter(pattern);
    const check = (given: ArrayLike<number>) => {
      const bytes = Uint8Array.from(given);
      const ends = [0];
      splitter.ofUtf8(bytes, (_, start, end) => {
        assert.equal(start, ends.at(-1));
        assert.ok(end > start);
        ends.push(end);
      });
      assert.equal(ends.at(-1), bytes.length);
    };
    fc.assert(fc.property(anyBytes, check), { numRuns: 500 });
  }
});

test("a byte that is not UTF-8 is cut like U+FFFD, with and without a lexer", () => {
  const valid = (text: string) => Buffer.from(text);
  const broken = Buffer.concat([valid("ab "), Buffer.of(0xff, 0xe3, 0x81), valid("cd 日é")]);
  const cuts = (splitter: Splitter) => {
    const pieces: string[] = [];
    splitter.ofUtf8(broken, (bytes, start, end) =>
      pieces.push(Buffer.from(bytes.subarray(start, end)).toString("latin1")),
    );
    return pieces;
  };
  const latin = (text: string) => valid(text).toString("latin1");
  const slow = `(?:${CL100K_PATTERN})`;
  assert.equal(tryLexer(slow), undefined);
  // "ab", " ÿã", "\x81cd", " 日é": one odd byte may stand before letters, as one U+FFFD may.
  const expected = ["ab", " \xff\xe3\x81", "cd", latin(" 日é")];
  assert.deepEqual(cuts(createSplitter(CL100K_PATTERN)), expected);
  assert.deepEqual(cuts(createSplitter(slow)), expected);
});

test("text that a pattern does not match stands between its matches", () => {
  assert.deepEqual([...splitText("xxabyyabz", /ab/gu)], ["xx", "ab", "yy", "ab", "z"]);
  assert.deepEqual(piecesOfText(createSplitter("\\d+"), "a12b\u{1f600}3"), ["a", "12", "b😀", "3"]);
  // An empty match cuts as well, and is no pre-token itself.
  assert.deepEqual([...splitText("ab", /x*/gu)], ["a", "b"]);
});

test("lone surrogates are cut as U+FFFD", () => {
  const splitter = createSplitter(SPLIT_PATTERN);
  assert.deepEqual(piecesOfText(splitter, "a\ud800b\udc00 \ud800"), [
    "a",
    "\ufffdb",
    "\ufffd",
    " \ufffd",
  ]);
});
