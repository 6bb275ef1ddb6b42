import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { utf8Length } from "../../../src/llm/data/document.ts";
import { hashText } from "../../../src/llm/data/hash.ts";

test("utf8Length counts what an encoder writes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.equal(utf8Length(text), Buffer.byteLength(text));
    }),
  );
  assert.equal(utf8Length("\ud800a\udc00"), 7);
});

test("the hash is fixed for ever", () => {
  assert.deepEqual(["", "a", "wiki-12"].map(hashText), GOLDEN);
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
