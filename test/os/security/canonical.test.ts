/** One text for one value: RFC 8785's own examples, and that JSON reads back what was written. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalJson, digest } from "../../../src/os/security/canonical.ts";
import type { Json } from "../../../src/os/security/labelled.ts";

test("the examples of RFC 8785", () => {
  const numbers = [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001];
  assert.equal(canonicalJson({ numbers }), '{"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}');
  const keys = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, ö: 7 };
  assert.equal(
    canonicalJson(keys),
    '{"\\r":2,"1":4,"\u0080":6,"ö":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}',
  );
  assert.equal(
    canonicalJson('\u20ac$\u000f\nA\'B"\\\\"/'),
    '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"',
  );
  assert.equal(canonicalJson([-0, 0, 1e21, 5e-324]), "[0,0,1e+21,5e-324]");
});

test("what was written reads back, and the order of keys is nobody's", () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
      const json = canonicalJson(value as Json);
      assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(value)));
      assert.equal(canonicalJson(JSON.parse(json)), json);
    }),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.integer()), (record) => {
      const reversed = Object.fromEntries(Object.entries(record).reverse());
      assert.equal(digest(reversed), digest(record));
    }),
  );
});

test("the digest is SHA-256 of the text in UTF-8, as Node computes it", () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
      const text = canonicalJson(value as Json);
      assert.equal(digest(value as Json), createHash("sha256").update(text, "utf8").digest("hex"));
    }),
  );
});

test("strings that differ have texts that differ, lone surrogates included", () => {
  const lone = ["\ud800", "\udc00", "\ud801", "\ufffd", "\\ud800"];
  assert.equal(new Set(lone.map((one) => canonicalJson(one))).size, lone.length);
  assert.equal(new Set(lone.map((one) => digest(one))).size, lone.length);
});

test("keys with the names of prototypes are data", () => {
  const value = JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}');
  assert.equal(canonicalJson(value), '{"__proto__":{"a":1},"constructor":2}');
  assert.equal(
    canonicalJson(Object.assign(Object.create(null), { b: 1, a: undefined })),
    '{"b":1}',
  );
});

test("what is no plain JSON is refused by name, before it can cost anything", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const sparse: unknown[] = [];
  sparse.length = 4e9;
  const table: [unknown, RegExp][] = [
    [Number.NaN, /finite numbers, got NaN/],
    [[1, undefined], /plain JSON, got undefined/],
    [1n, /plain JSON, got bigint/],
    [() => 1, /plain JSON, got function/],
    [new Date(0), /plain objects/],
    [new Map(), /plain objects/],
    [
      {
        get a() {
          return 1;
        },
      },
      /data, got a getter/,
    ],
    [cycle, /at most 256 levels/],
    [sparse, /at most 67108864 characters/],
  ];
  for (const [value, message] of table) {
    assert.throws(() => canonicalJson(value as Json), message);
    assert.throws(() => canonicalJson([value as Json]), message);
  }
  assert.equal(canonicalJson({ a: undefined, b: 1 } as unknown as Json), '{"b":1}');
  const limits = { depth: 2, chars: 14 };
  assert.equal(canonicalJson([["12345678"]], limits).length, 14);
  assert.throws(() => canonicalJson([[[]]], limits), /2 levels/);
  assert.throws(() => canonicalJson(["12345678901"], limits), /14 characters/);
});
