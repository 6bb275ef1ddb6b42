/**
 * Words, shingles and MinHash against slow, obvious versions of themselves and against the closed
 * forms of probability.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFactbook } from "../../../../src/llm/data/builtin/factbook.node.ts";
import { createStories } from "../../../../src/llm/data/builtin/stories.ts";
import {
  BANDS,
  hashBands,
  minhash,
  PERMUTATIONS,
  ROWS,
} from "../../../../src/llm/data/cleaning/minhash.ts";
import {
  hashShingles,
  SHINGLE_WORDS,
  SHORT_DOCUMENT,
} from "../../../../src/llm/data/cleaning/minhash-shingles.ts";
import {
  readSignature,
  signDocument,
} from "../../../../src/llm/data/cleaning/minhash-signature.ts";
import { hashWords } from "../../../../src/llm/data/cleaning/minhash-words.ts";
import { createRandom } from "./near-duplicates-edits.ts";

const texts = [...createStories(60), ...readFactbook().slice(0, 20)].map(({ text }) => text);

/** Words by regular expression: the oracle for the table-driven scan. */
function wordsOf(text: string): string[] {
  const bare = text.replace(/['\u2019\p{Cf}]/gu, "").toLowerCase();
  return bare.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}

function shinglesOf(text: string): Set<string> {
  const words = wordsOf(text);
  if (words.length < SHORT_DOCUMENT) return new Set([words.join(" ")]);
  const starts = words.slice(0, words.length - SHINGLE_WORDS + 1).keys();
  return new Set([...starts].map((i) => words.slice(i, i + SHINGLE_WORDS).join(" ")));
}

test("words are those of a regular expression, at their offsets", () => {
  for (const text of texts) {
    const { count, starts, ends } = hashWords(text);
    const found = Array.from({ length: count }, (_, i) => text.slice(starts[i], ends[i]));
    assert.deepEqual(found.flatMap(wordsOf), wordsOf(text));
    assert.equal(found.length, wordsOf(text).length);
  }
});

test("equal words have equal hashes, others do not, in 20,000 words", () => {
  const byHash = new Map<number, string>();
  const byWord = new Map<string, number>();
  for (const text of texts) {
    const { hashes } = hashWords(text);
    for (const [i, word] of wordsOf(text).entries()) {
      const hash = hashes[i] as number;
      assert.equal(byHash.get(hash) ?? word, word);
      assert.equal(byWord.get(word) ?? hash, hash);
      byHash.set(hash, word);
      byWord.set(word, hash);
    }
  }
  assert.ok(byWord.size > 1000, `${byWord.size} words`);
});

test("case, punctuation, spacing, apostrophes and invisible characters do not count", () => {
  const plain = hashWords("Dont panic the cafe is open");
  const changed = hashWords("  DON\u2019T\u200b panic -- the (Cafe)\n\nis\topen!!");
  assert.deepEqual(changed.hashes.slice(0, changed.count), plain.hashes.slice(0, plain.count));
});

test("where a script writes no spaces every character is a word", () => {
  assert.equal(hashWords("東京は大きい").count, 6);
  assert.equal(hashWords("ab東c 京d").count, 5);
});

test("buffers that are used again give the same words", () => {
  let reuse = hashWords("x".repeat(50_000));
  for (const text of texts) {
    reuse = hashWords(text, reuse);
    const fresh = hashWords(text);
    assert.deepEqual(reuse.hashes.slice(0, reuse.count), fresh.hashes.slice(0, fresh.count));
  }
});

test("rolling shingles are as many and as different as five-word strings", () => {
  for (const text of texts) {
    const shingles = hashShingles(hashWords(text));
    const words = wordsOf(text);
    assert.equal(shingles.length, words.length < SHORT_DOCUMENT ? 1 : words.length - 4);
    assert.equal(new Set(shingles).size, shinglesOf(text).size);
  }
});

test("a short document is one shingle: one other word makes it another document", () => {
  const [a, b, c] = [
    "What is the capital of Peru?",
    "what is the capital of peru",
    "What is the capital of Chad?",
  ].map((text) => hashShingles(hashWords(text)));
  assert.deepEqual(a, b);
  assert.notDeepEqual(a, c);
  assert.equal(hashShingles(hashWords("")).length, 0);
});

/** Two sets of random numbers with `common` of `each` in both. */
function overlapping(
  random: () => number,
  each: number,
  common: number,
): [Uint32Array, Uint32Array] {
  const draw = (): number => Math.floor(random() * 2 ** 32);
  const shared = Array.from({ length: common }, draw);
  const rest = (): number[] => Array.from({ length: each - common }, draw);
  return [Uint32Array.from([...shared, ...rest()]), Uint32Array.from([...shared, ...rest()])];
}

test("the share of equal minima is the Jaccard similarity, within its binomial error", () => {
  const random = createRandom(1);
  for (const common of [20, 100, 200, 300, 380]) {
    const jaccard = common / (800 - common);
    const trials = 40;
    let equal = 0;
    for (let trial = 0; trial < trials; trial++) {
      const [a, b] = overlapping(random, 400, common).map(minhash) as [Int32Array, Int32Array];
      equal += a.filter((least, i) => least === b[i]).length;
    }
    const n = trials * PERMUTATIONS;
    const error = Math.sqrt((jaccard * (1 - jaccard)) / n);
    assert.ok(Math.abs(equal / n - jaccard) < 4.5 * error, `${equal / n} for ${jaccard}`);
  }
});

test("real texts: the estimate lies within four errors of the exact similarity", () => {
  const random = createRandom(2);
  for (const text of texts.filter((text) => wordsOf(text).length > 100)) {
    const words = text.split(" ");
    const other = words.map((word) => (random() < 0.04 ? "other" : word)).join(" ");
    const [a, b] = [shinglesOf(text), shinglesOf(other)];
    const exact = a.intersection(b).size / a.union(b).size;
    const [x, y] = [text, other].map((t) => minhash(hashShingles(hashWords(t)))) as [
      Int32Array,
      Int32Array,
    ];
    const estimate = x.filter((least, i) => least === y[i]).length / PERMUTATIONS;
    const error = Math.sqrt((exact * (1 - exact)) / PERMUTATIONS) + 0.01;
    assert.ok(Math.abs(estimate - exact) < 4 * error, `${estimate} for ${exact}`);
  }
});

test("a pair shares a band as often as 1 - (1 - J^8)^14 says", () => {
  const random = createRandom(3);
  assert.deepEqual([BANDS, ROWS], [14, 8]);
  for (const [common, expected] of [
    [267, 0.054],
    [320, 0.427],
    [356, 0.927],
  ] as const) {
    const trials = 150;
    let met = 0;
    for (let trial = 0; trial < trials; trial++) {
      const [a, b] = overlapping(random, 400, common).map((set) => hashBands(minhash(set))) as [
        Uint32Array,
        Uint32Array,
      ];
      met += Array.from({ length: BANDS }).some(
        (_, i) => a[2 * i] === b[2 * i] && a[2 * i + 1] === b[2 * i + 1],
      )
        ? 1
        : 0;
    }
    const error = Math.sqrt((expected * (1 - expected)) / trials) + 0.005;
    assert.ok(Math.abs(met / trials - expected) < 4 * error, `${met / trials} for ${expected}`);
  }
});

test("a signature reads back from any offset; no words, no bands", () => {
  const text = texts[0] as string;
  const signature = signDocument(text);
  const padded = new Uint8Array(signature.length + 3);
  padded.set(signature, 3);
  const read = readSignature(padded.subarray(3));
  assert.equal(read.words, wordsOf(text).length);
  assert.deepEqual(read.bands, hashBands(minhash(hashShingles(hashWords(text)))));
  assert.deepEqual(read.samples, read.samples.slice().sort());
  assert.equal(readSignature(signDocument("...")).bands.length, 0);
});

test("signatures do not depend on what was signed before", () => {
  const first = texts.map((text) => signDocument(text));
  const again = texts.toReversed().map((text) => signDocument(text));
  assert.deepEqual(again.reverse(), first);
});
