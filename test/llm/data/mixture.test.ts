import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Document, totalBytes, utf8Length } from "../../../src/llm/data/document.ts";
import { hashText } from "../../../src/llm/data/hash.ts";
import { isValidation, splitSource } from "../../../src/llm/data/split.ts";
import { thinMixture } from "../../../src/llm/data/thin.ts";
import { tokenizerText } from "../../../src/llm/data/tokenizer-text.ts";

const documents = (count: number, length: number, name = "d"): Document[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `${name}${i}`,
    text: `${i} `.repeat(length).slice(0, length),
  }));
const raw = (name: string, weight: number, list: Document[]) =>
  splitSource({ name, weight, licence: "none", documents: list });

test("utf8Length counts what an encoder writes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.equal(utf8Length(text), Buffer.byteLength(text));
    }),
  );
  assert.equal(utf8Length("\ud800a\udc00"), 7);
});

test("the hash is fixed for ever and even", () => {
  assert.deepEqual(["", "a", "wiki-12"].map(hashText), GOLDEN);
  const held = documents(50_000, 1).filter(({ id }) => isValidation(id)).length;
  assert.ok(Math.abs(held - 1000) < 150, `${held} of 50,000 held out, expected about 1,000`);
});

/** FNV-1a 32 then the MurmurHash3 finaliser, worked out apart from the code with BigInt. */
const GOLDEN = ["", "a", "wiki-12"].map((text) => {
  const low = (value: bigint) => value & 0xffffffffn;
  let hash = 0x811c9dc5n;
  for (const byte of Buffer.from(text)) hash = low((hash ^ BigInt(byte)) * 0x01000193n);
  hash = low((hash ^ (hash >> 16n)) * 0x85ebca6bn);
  hash = low((hash ^ (hash >> 13n)) * 0xc2b2ae35n);
  return Number(hash ^ (hash >> 16n));
});

test("validation never overlaps training, and a document keeps its side", () => {
  const small = raw("s", 1, documents(400, 10));
  const large = raw("s", 1, documents(4000, 10));
  const trained = new Set(large.train.map(({ id }) => id));
  assert.ok(large.validation.every(({ id }) => !trained.has(id)));
  assert.equal(large.train.length + large.validation.length, 4000);
  assert.ok(small.validation.length > 0);
  assert.ok(small.validation.every(({ id }) => !trained.has(id)));
});

test("a few documents still leave one to validate on", () => {
  const few = documents(3, 10).filter(({ id }) => !isValidation(id));
  const source = raw("few", 1, few);
  assert.equal(source.validation.length, 1);
  assert.equal(source.train.length, few.length - 1);
});

test("a budget is shared by weight, evenly over each source, and only thins", () => {
  const sources = [
    raw("big", 3, documents(3000, 1000, "b")),
    raw("long", 1, documents(4, 1_000_000, "l")),
    raw("tiny", 4, documents(50, 100, "t")),
  ];
  const thinned = thinMixture(sources, 1_000_000);
  const [big = 0, long = 0, tiny = 0] = thinned.map(({ train }) => totalBytes(train));
  assert.equal(tiny, totalBytes(sources[2]?.train ?? []));
  assert.ok(Math.abs(big - 746_000) < 5_000, `big got ${big}`);
  assert.ok(long >= 245_000 && long < 320_000, `long got ${long}`);
  const kept = (thinned[0]?.train ?? []).map(({ id }) => Number(id.slice(1)));
  assert.deepEqual(
    kept,
    [...kept].sort((a, b) => a - b),
  );
  const firstHalf = kept.filter((index) => index < 1500).length / kept.length;
  assert.ok(Math.abs(firstHalf - 0.5) < 0.06, `${firstHalf} from the first half`);
  assert.deepEqual(thinMixture(sources, 1_000_000), thinned);
  assert.deepEqual(thinMixture(sources, 1e9), sources);
});

test("parts of a long document are pieces of its text", () => {
  const text = Array.from({ length: 30_000 }, (_, i) => `line ${i}\n`).join("");
  const source = { name: "n", weight: 1, licence: "", train: [{ id: "x", text }], validation: [] };
  const [thinned] = thinMixture([source], 100_000);
  assert.equal(thinned?.train.length, 2);
  for (const part of thinned?.train ?? []) {
    assert.ok(text.includes(part.text));
    assert.match(part.text, /^line \d+\n.*\n$/s);
  }
});

test("the tokenizer learns from training documents only", () => {
  const source = raw("s", 1, documents(500, 50));
  const texts = tokenizerText([source], 5_000);
  const trained = new Set(source.train.map(({ text }) => text));
  assert.ok(texts.length >= 100 && texts.every((text) => trained.has(text)));
});
