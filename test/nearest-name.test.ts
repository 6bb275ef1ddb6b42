/** Edit distance against its recursive definition, and the suggestions built on it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { editDistance, nearestName, suggestName } from "../src/nearest-name.ts";

/** The definition, without the table: exponential, for short words only. */
function definition(a: string, b: string): number {
  if (a === "" || b === "") return a.length + b.length;
  const best = Math.min(
    definition(a.slice(1), b) + 1,
    definition(a, b.slice(1)) + 1,
    definition(a.slice(1), b.slice(1)) + (a[0] === b[0] ? 0 : 1),
  );
  const swapped = a.length > 1 && b.length > 1 && a[0] === b[1] && a[1] === b[0];
  return swapped ? Math.min(best, definition(a.slice(2), b.slice(2)) + 1) : best;
}

test("edit distance equals its recursive definition", () => {
  const words = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 5 });
  fc.assert(
    fc.property(words, words, (a, b) => assert.equal(editDistance(a, b), definition(a, b))),
  );
});

test("a near name is suggested, a far one is not", () => {
  const names = ["depth", "warmup", "learningRate"];
  assert.equal(nearestName("dept", names), "depth");
  assert.equal(nearestName("dpeth", names), "depth");
  assert.equal(nearestName("learning-rate", names), "learningRate");
  assert.equal(nearestName("laerning", names), "learningRate");
  assert.equal(nearestName("x", names), undefined);
  assert.equal(nearestName("cosine", names), undefined);
  assert.equal(suggestName("cosine", names), "Known: depth, warmup, learningRate.");
});
