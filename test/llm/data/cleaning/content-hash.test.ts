/**
 * The content hash decides sides of the split and equality of texts, so it must never change.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { contentHash } from "../../../../src/llm/data/cleaning/content-hash.ts";

test("the hash never changes", () => {
  assert.equal(contentHash("The river had been rising."), 11181713746594086346n);
});

test("case and spacing do not matter, anything else does", () => {
  const hash = contentHash("Über den Wolken");
  assert.equal(contentHash("  über\n\nDEN\t wolken "), hash);
  assert.notEqual(contentHash("Über den Wolke"), hash);
  assert.notEqual(contentHash("Überden Wolken"), hash);
});

const fold = (text: string): string =>
  text
    .toLowerCase()
    .trim()
    .split(/[\s\u00a0]+/)
    .join(" ");

test("equal hashes mean equal folded texts", () => {
  const short = fc.string({
    unit: fc.constantFrom("a", "A", "b", " ", "\n", "é", "É"),
    maxLength: 6,
  });
  fc.assert(
    fc.property(short, short, (a, b) => {
      assert.equal(contentHash(a) === contentHash(b), fold(a) === fold(b));
    }),
    { numRuns: 2000 },
  );
});

test("no two of 200,000 numbers collide, and every low bit is even", () => {
  const seen = new Set<bigint>();
  let ones = 0;
  for (let i = 0; i < 200_000; i++) {
    const hash = contentHash(`document ${i}`);
    seen.add(hash);
    if (hash & 1n) ones++;
  }
  assert.equal(seen.size, 200_000);
  assert.ok(Math.abs(ones - 100_000) < 1500, `${ones}`);
});
