import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  isHeldOut,
  LEAST_SINGLE_DOCUMENT,
  splitFacts,
  splitText,
} from "../../../../src/llm/data/shards/split.ts";
import { documentsOf, textsOf } from "./made-up.ts";

const corpus = documentsOf(textsOf(7, 4000));

/** The texts of the validation side. */
function held(documents: typeof corpus): Set<string> {
  const facts = splitFacts(documents.map(({ contentHash }) => contentHash));
  const parts = documents.flatMap(({ text, contentHash }) => splitText(text, contentHash, facts));
  return new Set(parts.filter(({ side }) => side === "validation").map(({ text }) => text));
}

test("a document keeps its side whatever is added, removed or reordered", () => {
  const all = held(corpus);
  const sample = fc.shuffledSubarray(corpus, { minLength: 400 });
  fc.assert(
    fc.property(sample, (documents) => {
      const some = held(documents);
      // 400 documents without one held out have a chance of 0.98^400, 1 in 3,000.
      if (!documents.some(({ contentHash }) => isHeldOut(contentHash))) return;
      for (const { text } of documents) assert.equal(some.has(text), all.has(text));
    }),
  );
});

test("one document in fifty is held out, and never none of several", () => {
  // Three deviations of a binomial over 4,000 documents are 27.
  assert.ok(Math.abs(held(corpus).size - 80) < 27, `${held(corpus).size}`);
  const none = corpus.filter(({ contentHash }) => !isHeldOut(contentHash)).slice(0, 30);
  const smallest = none.reduce((a, b) => (b.contentHash < a.contentHash ? b : a));
  assert.deepEqual([...held(none)], [smallest.text]);
  assert.deepEqual([...held([...none].reverse())], [smallest.text]);
});

test("a single long document is cut by position, a short one is trained on", () => {
  const split = (text: string) => splitText(text, 0n, splitFacts([0n]));
  const [train, validation] = split("x".repeat(LEAST_SINGLE_DOCUMENT));
  assert.deepEqual([train?.side, train?.text.length], ["train", 9000]);
  assert.deepEqual([validation?.side, validation?.text.length], ["validation", 1000]);
  const emoji = `x${"😀".repeat(LEAST_SINGLE_DOCUMENT)}`;
  const parts = split(emoji);
  assert.equal(parts.map(({ text }) => text).join(""), emoji);
  assert.ok(
    parts.every(({ text }) => text.isWellFormed()),
    "no character is cut in two",
  );
  assert.deepEqual(split("short"), [{ side: "train", text: "short" }]);
});
