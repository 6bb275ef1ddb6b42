/**
 * Normalising: what looks the same becomes the same, ordinary text stays the very same string, and
 * a second pass finds nothing.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { normaliseText } from "../../../../src/llm/data/cleaning/normalise.ts";

const cases: readonly [what: string, from: string, to: string][] = [
  ["line ends", "a\r\nb\rc", "a\nb\nc"],
  ["page breaks", "a\fb", "a\nb"],
  ["trailing spaces", "a  \nb\t\n", "a\nb\n"],
  ["blank lines", "a\n\n\n\n\nb", "a\n\n\nb"],
  ["blank lines of spaces", "a\n \n\t\n \n\nb", "a\n\n\nb"],
  ["control characters", "a\u0000b\u0007c\u007f", "abc"],
  ["zero-width and byte order marks", "\ufeffa\u200bb\u00adc", "abc"],
  ["bidirectional overrides", "a\u202eb\u2066c\u2069", "abc"],
  ["hidden tags", "hi\u{e0041}\u{e0042}!", "hi!"],
  ["a line end behind an invisible character", "a\r\u200b\nb", "a\nb"],
  ["composition", "cafe\u0301", "café"],
  ["composition behind an invisible character", "cafe\u200b\u0301", "café"],
  ["Windows-1252", "students\u0092 \u0093data\u0094", "students’ “data”"],
  ["joiners between Latin letters", "a\u200db\u200cc", "abc"],
];

for (const [what, from, to] of cases) {
  test(`normalise: ${what}`, () => assert.equal(normaliseText(from, true).text, to));
}

const ordinary = [
  "A line.\n\n\tAn indented one, with a tab\tinside.\n\n\nAfter two blank lines.",
  "👨‍👩‍👧 and 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} stay",
  "می‌خواهم", // Persian needs its non-joiner
  "क्‍ष", // Devanagari its joiner
  "שלום\u200f 12", // a right-to-left mark is no override
  "日本語。\u3000全角",
];

test("ordinary text stays the very same string", () => {
  for (const text of ordinary) {
    assert.equal(normaliseText(text, true).text, text);
    assert.equal(normaliseText(text, true).invisible, 0);
  }
});

test("code is not composed", () => {
  assert.equal(normaliseText("cafe\u0301", false).text, "cafe\u0301");
});

test("invisible characters are counted, line ends are not", () => {
  assert.equal(normaliseText("a\u200bb\u202e\r\nc \n", true).invisible, 2);
});

const pieces = fc.constantFrom(
  ..."aé .\n\r\t\f\u0000\u0085\u0092\u00ad\u0301\u200b\u200c\u200d\u202e\u2069\ufeffश",
  "\u{1f3f4}",
  "\u{e0067}",
  "\u{1f468}",
  "\u212a",
);

test("a second pass changes nothing", () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), fc.boolean(), (parts, nfc) => {
      const once = normaliseText(parts.join(""), nfc).text;
      const twice = normaliseText(once, nfc);
      assert.equal(twice.text, once);
      assert.equal(twice.invisible, 0);
    }),
    { numRuns: 5000 },
  );
});

test("a long run of spaces takes linear time", () => {
  const start = performance.now();
  normaliseText(`${" ".repeat(2_000_000)}x\r`, true);
  assert.ok(performance.now() - start < 2000);
});
