/**
 * Excerpts: the highlighted part is the place that was asked for, and characters stay whole.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { excerptAround, placeOfQuoted } from "../../../../src/llm/data/cleaning/excerpt.ts";

test("the highlight is the place", () => {
  const text = fc.string({ unit: fc.constantFrom("a", " ", "\n", "é", "😀"), maxLength: 400 });
  fc.assert(
    fc.property(text, fc.nat(), fc.nat(30), (sample, at, length) => {
      const points = [...sample];
      const first = points.length === 0 ? 0 : at % points.length;
      const start = points.slice(0, first).join("").length;
      const end = points.slice(0, first + length).join("").length;
      const { excerpt, highlight } = excerptAround(sample, [start, end], 40);
      const [from, to] = highlight ?? [0, 0];
      assert.equal(excerpt.slice(from, to), sample.slice(start, end));
      assert.ok(excerpt.isWellFormed());
    }),
    { numRuns: 2000 },
  );
});

test("without a place the beginning is shown", () => {
  const { excerpt, highlight } = excerptAround("word ".repeat(200), undefined, 40);
  assert.equal(highlight, null);
  assert.match(excerpt, /^word word .*…$/);
});

test("what a detail quotes is found whatever its case", () => {
  const detail = '"Cf Mn" stands 12 times in 9 documents';
  assert.deepEqual(placeOfQuoted("See cf mn there", detail), [4, 9]);
  assert.equal(placeOfQuoted("See there", detail), undefined);
  assert.equal(placeOfQuoted("words: 3", "words: 3, at least 50"), undefined);
});
