/**
 * Near-duplicates: signatures against a search of all pairs, every kind of edit found again, and
 * the documents that only look alike left alone.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFactbook } from "../../../../src/llm/data/builtin/factbook.node.ts";
import { createStories } from "../../../../src/llm/data/builtin/stories.ts";
import { readWordnet } from "../../../../src/llm/data/builtin/wordnet.node.ts";
import { hashShingles } from "../../../../src/llm/data/cleaning/minhash-shingles.ts";
import { signDocument } from "../../../../src/llm/data/cleaning/minhash-signature.ts";
import { hashWords } from "../../../../src/llm/data/cleaning/minhash-words.ts";
import {
  type DocumentSignature,
  findNearDuplicates,
  LEAST_JACCARD,
  type NearDuplicateReport,
} from "../../../../src/llm/data/cleaning/near-duplicates.ts";
import { CandidateIndex } from "../../../../src/llm/data/cleaning/near-duplicates-candidates.ts";
import { Clusters } from "../../../../src/llm/data/cleaning/near-duplicates-clusters.ts";
import { compareShingles } from "../../../../src/llm/data/cleaning/near-duplicates-compare.ts";
import type { Corpus } from "../../../../src/llm/data/cleaning/near-duplicates-corpus.ts";
import { Postings } from "../../../../src/llm/data/cleaning/near-duplicates-postings.ts";
import { createRandom, edits, pick } from "./near-duplicates-edits.ts";

const factbook = readFactbook().map(({ text }) => text);
const wordnet = readWordnet().map(({ text }) => text);
const long = factbook.filter((text) => text.length > 1500 && text.length < 30_000);

function corpusOf(texts: readonly string[]): Corpus {
  return {
    size: texts.length,
    async *texts(documents = Uint32Array.from(texts.keys())) {
      for (const document of documents) {
        yield { document, source: "test", text: texts[document] as string };
      }
    },
  };
}

function find(texts: readonly string[]): Promise<NearDuplicateReport> {
  const signatures = {
    async *[Symbol.asyncIterator](): AsyncGenerator<DocumentSignature> {
      for (const [document, text] of texts.entries()) {
        yield { document, signature: signDocument(text) };
      }
    },
  };
  return findNearDuplicates(signatures, corpusOf(texts));
}

/** Shingles as strings, by a regular expression. */
function shinglesOf(text: string): Set<string> {
  const words =
    text
      .toLowerCase()
      .replace(/['\u2019\p{Cf}]/gu, "")
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  return new Set(words.slice(4).map((_, i) => words.slice(i, i + 5).join(" ")));
}

function jaccardOf(a: Set<string>, b: Set<string>): number {
  const common = a.intersection(b).size;
  return common / (a.size + b.size - common);
}

test("of 500 documents with copies, every pair over the threshold is found by brute force too", async () => {
  const random = createRandom(11);
  const texts = createStories(420)
    .map(({ text }) => text)
    .filter((text) => hashWords(text).count >= 60);
  const originals = texts.length;
  while (texts.length < 500) {
    const share = 0.005 + 0.04 * random();
    const original = texts[Math.floor(random() * originals)] as string;
    texts.push(original.replace(/\p{L}+/gu, (word) => (random() < share ? "moon" : word)));
  }
  const shingles = texts.map(shinglesOf);
  const { duplicates, candidates, refused } = await find(texts);
  const dropped = new Set(duplicates.map(({ document }) => document));
  let over = 0;
  let missed = 0;
  for (let b = 0; b < texts.length; b++) {
    for (let a = 0; a < b; a++) {
      if (jaccardOf(shingles[a] as Set<string>, shingles[b] as Set<string>) < LEAST_JACCARD)
        continue;
      over++;
      if (!dropped.has(a) && !dropped.has(b)) missed++;
    }
  }
  assert.ok(over >= 50, `${over} pairs over the threshold`);
  assert.equal(missed, 0);
  assert.ok(candidates >= duplicates.length && refused < candidates);
  for (const { document, twin, jaccard, coverage } of duplicates) {
    const exact = jaccardOf(shingles[document] as Set<string>, shingles[twin] as Set<string>);
    assert.ok(Math.abs(jaccard - exact) < 1e-9, `${jaccard}, exactly ${exact}`);
    assert.ok(jaccard >= LEAST_JACCARD || coverage >= 0.7);
  }
});

for (const [name, edit] of Object.entries(edits)) {
  test(`a copy with ${name} is found, and one of the two stays`, async () => {
    const random = createRandom(name.length);
    const originals = long.slice(0, 40);
    const copies = originals.map((text) => edit(text, random));
    const { duplicates } = await find([...originals, ...copies]);
    const gone = new Set(duplicates.map(({ document }) => document));
    for (const i of originals.keys()) {
      assert.equal(
        Number(gone.has(i)) + Number(gone.has(i + originals.length)),
        1,
        originals[i]?.slice(0, 60),
      );
    }
    for (const { document, keeper } of duplicates) {
      assert.equal(keeper % originals.length, document % originals.length);
      assert.ok(!gone.has(keeper), "a keeper stays");
    }
  });
}

test("short documents are duplicates only with all words the same", async () => {
  const texts = [
    "Question: What is the largest planet of the solar system?\nAnswer: Jupiter",
    "question - what is the largest planet of the solar system\nANSWER: Jupiter!",
    "Question: What is the smallest planet of the solar system?\nAnswer: Mercury",
    "Question: What is the largest planet of the solar system?\nAnswer: Saturn",
  ];
  const { duplicates } = await find(texts);
  assert.deepEqual(
    duplicates.map(({ document, keeper }) => [document, keeper]),
    [[1, 0]],
  );
});

test("documents of one template with different facts stay", async () => {
  const random = createRandom(5);
  const words = wordnet.slice(0, 4000).flatMap((text) => text.match(/[a-z]{4,}/g) ?? []);
  const fact = (): string => Array.from({ length: 14 }, () => pick(random, words)).join(" ");
  const texts = Array.from(
    { length: 60 },
    () =>
      `What are the treatments for ${fact()}? These resources address the diagnosis or management of ` +
      `${fact()}. These resources offer information about the diagnosis and management of various ` +
      `health conditions, such as ${fact()}. Ask your doctor about ${fact()}.`,
  );
  assert.deepEqual((await find(texts)).duplicates, []);
});

test("an edited copy of a page that is mostly boilerplate is found, other pages of it stay", async () => {
  const random = createRandom(21);
  const notice = (long[2] as string).split(" ").slice(0, 250).join(" ");
  const words = wordnet.slice(0, 4000).flatMap((text) => text.match(/[a-z]{4,}/g) ?? []);
  const fact = (): string => Array.from({ length: 120 }, () => pick(random, words)).join(" ");
  const pages = Array.from({ length: 30 }, () => `${fact()} ${notice}`);
  const edit = edits["5 % of words replaced"] as (text: string, random: () => number) => string;
  const { duplicates } = await find([...pages, edit(pages[4] as string, random)]);
  assert.deepEqual(
    duplicates.map(({ document, keeper }) => [document, keeper].sort((a, b) => a - b)),
    [[4, 30]],
  );
});

test("a part of a part ends at the whole, whatever the order", async () => {
  const whole = long[0] as string;
  const half = whole.slice(0, whole.indexOf(" ", whole.length / 2));
  const quarter = half.slice(0, half.indexOf(" ", half.length / 2));
  for (const texts of [
    [quarter, half, whole],
    [whole, quarter, half],
    [half, whole, quarter],
  ]) {
    const { duplicates } = await find(texts);
    assert.equal(duplicates.length, 2);
    for (const { keeper } of duplicates) assert.equal(keeper, texts.indexOf(whole));
  }
});

test("boilerplate in many documents costs each a few pairs, not all of them", () => {
  const notice = (long[1] as string).slice(0, 1500);
  const index = new CandidateIndex(1000);
  const signatures = Array.from({ length: 1000 }, (_, i) => signDocument(`${notice} ${i}`));
  for (const [i, signature] of signatures.entries()) index.add(i, signature);
  const pairs = signatures.map((signature, i) => index.pair(i, signature).length);
  assert.ok(Math.max(...pairs) <= 14 * 4, `${Math.max(...pairs)} partners`);
  assert.ok(Math.min(...pairs.slice(1)) >= 1);
});

test("unrelated documents are hardly ever compared", async () => {
  const texts = wordnet.filter((text) => text.length > 300).slice(0, 3000);
  const { candidates, duplicates } = await find(texts);
  assert.ok(candidates < texts.length / 20, `${candidates} pairs`);
  assert.deepEqual(
    duplicates.filter(({ jaccard, coverage }) => jaccard < 0.7 && coverage < 0.7),
    [],
  );
});

test("coverage and Jaccard similarity by hand", () => {
  const shingled = (words: string[]) => {
    const shingles = hashShingles(hashWords(words.join(" ")));
    return { words: words.length, shingles, set: new Set(shingles) };
  };
  const words = Array.from({ length: 100 }, (_, i) => `word${i}`);
  const half = shingled(words.slice(0, 50));
  const likeness = compareShingles(shingled(words), half);
  assert.equal(likeness.jaccard, 46 / 96);
  assert.deepEqual(likeness.coverage, [0.5, 1]);
  // One word changed in the middle: 5 of 96 shingles differ, one word is not covered.
  const changed = shingled(words.with(50, "other"));
  assert.equal(compareShingles(shingled(words), changed).jaccard, 91 / 101);
  assert.deepEqual(compareShingles(shingled(words), changed).coverage, [0.99, 0.99]);
});

test("clusters: the least of those joined in any order comes first", () => {
  const random = createRandom(8);
  const clusters = new Clusters(1000);
  const numbers = Array.from({ length: 1000 }, (_, i) => i).sort(() => random() - 0.5);
  // Joining i with i - 7 leaves the residues modulo 7.
  for (const i of numbers) if (i >= 7) clusters.join(i, i - 7);
  for (const i of numbers) assert.equal(clusters.first(i), i % 7);
});

test("postings count all and remember the first", () => {
  const random = createRandom(9);
  const postings = new Postings(3);
  const expected = new Map<number, number[]>();
  for (let document = 0; document < 20_000; document++) {
    const key = Math.floor(random() ** 3 * 9000) * 2 ** 40 + (document % 3);
    postings.add(key, document);
    expected.set(key, [...(expected.get(key) ?? []), document]);
  }
  for (const [key, documents] of expected) {
    const visited: number[] = [];
    postings.visit(key, (document) => visited.push(document));
    assert.deepEqual(visited, documents.slice(0, 3).reverse());
    assert.equal(postings.count(key), documents.length);
  }
  assert.equal(postings.count(2 ** 53 - 1), 0);
});
