/** The table of pre-tokens against a Map, with keys around the length that fits into a slot. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PieceTable } from "../../../src/llm/tokenizer/piece-table.ts";

test("finds what was added and nothing else", () => {
  // Few different bytes, zero and 255 among them, so that keys share beginnings and words.
  const key = fc
    .uint8Array({ minLength: 1, maxLength: 26 })
    .map((bytes) => bytes.map((byte) => [0, 1, 97, 128, 255][byte % 5] as number));
  fc.assert(
    fc.property(fc.array(key, { maxLength: 60 }), (keys) => {
      const table = new PieceTable();
      const expected = new Map<string, number>();
      for (const [i, bytes] of keys.entries()) {
        const name = Buffer.from(bytes).toString("latin1");
        const framed = Uint8Array.of(7, ...bytes, 7);
        assert.equal(table.find(framed, 1, 1 + bytes.length), expected.get(name) ?? 0);
        if (expected.has(name)) continue;
        const value = i % 2 === 0 ? i + 1 : -i;
        table.add(framed, 1, 1 + bytes.length, value);
        expected.set(name, value);
      }
      assert.equal(table.size, expected.size);
      assert.equal(Buffer.from(table.keys()).toString("latin1"), [...expected.keys()].join(""));
    }),
    { numRuns: 500 },
  );
});

test("grows, and is empty again after clear", () => {
  const table = new PieceTable();
  const keys = Array.from({ length: 50_000 }, (_, i) =>
    Buffer.from(i % 2 === 0 ? `k${i}` : `a rather long key ${i}`),
  );
  for (const [i, key] of keys.entries()) table.add(key, 0, key.length, i + 1);
  assert.ok(keys.every((key, i) => table.find(key, 0, key.length) === i + 1));
  table.clear();
  assert.equal(table.size, 0);
  assert.ok(keys.every((key) => table.find(key, 0, key.length) === 0));
  assert.equal(table.keys().length, 0);
});
