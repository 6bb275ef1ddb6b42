/** What a terminal or an eye could be fooled with comes out as plain characters. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inertContent, inertLine, inertLines, inertName } from "../src/inert-text.ts";

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

test("what a person decides by is seen as what it is, and reads back", () => {
  const table: [string, string][] = [
    ["anna@uni.edu", "anna@uni.edu"],
    ["\u202emoc.live", "\\u{202e}moc.live"],
    ["a\0b\nc\x1b[31m", "a\\u{0}b\\u{a}c\\u{1b}[31m"],
    ["раypal", "\\u{440}\\u{430}ypal"],
    ["Привет, Anna", "Привет, Anna"],
    ["grüße 你好", "grüße 你好"],
    ["zero\u200bwidth\ufeff", "zero\\u{200b}width\\u{feff}"],
    ["tag\u{e0041}", "tag\\u{e0041}"],
    ["back\\u{202e}", "back\\\\u{202e}"],
    ["lone \ud800!", "lone \\u{d800}!"],
    ["a\u00a0b\u2003c", "a\\u{a0}b\\u{2003}c"],
    ["z\u0301\u0302\u0303\u0304", "z\u0301\u0302\\u{303}\\u{304}"],
  ];
  for (const [text, inert] of table) assert.equal(inertContent(text), inert);
  assert.equal(inertName("bücher.example/раypal"), "b\\u{fc}cher.example/\\u{440}\\u{430}ypal");
  const back = (inert: string): string => {
    return inert.replaceAll(/\\(?:u\{([0-9a-f]+)\}|\\)/g, (_, code?: string) => {
      return code === undefined ? "\\" : String.fromCodePoint(Number.parseInt(code, 16));
    });
  };
  const any = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));
  fc.assert(
    fc.property(any, (text) => {
      assert.match(inertName(text), /^[ -~]*$/);
      assert.doesNotMatch(inertContent(text), /[\p{Cc}\p{Cf}\p{Cs}]/u);
      assert.equal(back(inertName(text)), text);
      assert.equal(back(inertContent(text)), text);
    }),
  );
});
