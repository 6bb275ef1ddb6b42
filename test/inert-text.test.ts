/** What a terminal or an eye could be fooled with comes out as plain characters. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inertLine, inertLines } from "../src/inert-text.ts";

const tricks: readonly [name: string, text: string, shown: string][] = [
  ["an escape sequence", "a\u001b[2Jb", "a\\u{1b}[2Jb"],
  ["a bidi override", "pay\u202egpj.exe", "pay\\u{202e}gpj.exe"],
  ["zero width", "pay\u200bpal", "pay\\u{200b}pal"],
  ["tag characters", "ok\u{e0041}", "ok\\u{e0041}"],
  ["a lone surrogate", "a\ud800b", "a\\u{d800}b"],
  ["a line separator", "a\u2028b", "a\\u{2028}b"],
  ["C1 controls", "a\u009bb", "a\\u{9b}b"],
];

for (const [name, text, shown] of tricks) {
  test(`${name} is written out`, () => {
    assert.equal(inertLine(text), shown);
    assert.equal(inertLines(text), shown);
  });
}

test("lines stay lines in a reply, and become text in a line", () => {
  assert.equal(inertLines("a\n\tb 👩\u200d🔬"), "a\n\tb 👩\u200d🔬");
  assert.equal(inertLine("a\nb"), "a\\u{a}b");
});

test("what is too long says how much is missing", () => {
  assert.equal(inertLine("abcdef", 4), "abcd… (2 more)");
});
