/** Rounding to bf16 and f16 against exact arithmetic: f32 values and their neighbours are exact in f64. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { fromBf16, fromF16, roundBf16, toBf16, toF16 } from "../../src/compute/numbers.ts";

const fromBits = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0] ?? 0;

/** The nearest bf16 by comparing exact distances; of two equally near, the even one. */
function nearestBf16(bits: number): number {
  const x = fromBits(bits);
  const below = (bits & 0xffff0000) >>> 0;
  const [low, high] = [fromBits(below), fromBits((below + 0x10000) >>> 0)];
  const finiteHigh = Number.isFinite(high) ? high : Math.sign(x) * 2 ** 128;
  const [toLow, toHigh] = [Math.abs(x - low), Math.abs(finiteHigh - x)];
  if (toLow !== toHigh) return toLow < toHigh ? low : high;
  return (below >>> 16) % 2 === 0 ? low : high;
}

describe("roundBf16", () => {
  const ties: readonly (readonly [f32: number, bf16: number])[] = [
    [0x3f808000, 0x3f80], // 1 + 2^-8, between 1 and 1 + 2^-7: down to even
    [0x3f818000, 0x3f82], // between 1 + 2^-7 and 1 + 2^-6: up to even
    [0xbf808000, 0xbf80],
    [0xbf818000, 0xbf82],
    [0x3f808001, 0x3f81], // a hair above a tie
    [0x3f807fff, 0x3f80], // a hair below
    [0x3fff8000, 0x4000], // carries into the exponent
    [0x00008000, 0x0000], // half the smallest subnormal
    [0x00018000, 0x0002],
    [0x7f7f8000, 0x7f80], // beyond the largest finite number
    [0x7f7f7fff, 0x7f7f],
    [0x80000000, 0x8000], // -0
    [0x7f800000, 0x7f80],
    [0xff800000, 0xff80],
  ];
  for (const [from, to] of ties)
    test(`0x${from.toString(16)} to 0x${to.toString(16)}`, () => {
      const rounded = roundBf16(fromBits(from));
      assert.ok(Object.is(rounded, fromBits((to << 16) >>> 0)), `got ${rounded}`);
      assert.equal(toBf16([fromBits(from)])[0], to);
    });

  test("is the nearest of its two neighbours for any finite f32", () => {
    const property = fc.property(fc.integer({ min: 0, max: 0xffffffff }), (bits) => {
      fc.pre(Number.isFinite(fromBits(bits)));
      assert.ok(Object.is(roundBf16(fromBits(bits)), nearestBf16(bits)), bits.toString(16));
    });
    fc.assert(property, { numRuns: 2000, seed: 16 });
  });

  test("keeps NaN", () => {
    assert.ok(Number.isNaN(roundBf16(Number.NaN)));
    assert.ok(Number.isNaN(fromBf16(toBf16([Number.NaN]))[0]));
  });
});

test("all 65,536 bf16 words survive widening and rounding", () => {
  const words = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const back = toBf16(fromBf16(words));
  const wrong = words.filter((w, i) => {
    const isNaNWord = (w & 0x7f80) === 0x7f80 && (w & 0x7f) !== 0;
    const got = back[i] ?? 0;
    return isNaNWord ? (got & 0x7f80) !== 0x7f80 || (got & 0x7f) === 0 : got !== w;
  });
  assert.deepEqual([...wrong], []);
});

describe("f16", () => {
  test("every number of it comes back, in order", () => {
    for (let bits = 0; bits < 0x7c00; bits++) {
      assert.equal(toF16(fromF16(bits)), bits);
      assert.equal(toF16(fromF16(bits | 0x8000)), bits | 0x8000);
      if (bits > 0) assert.ok(fromF16(bits) > fromF16(bits - 1));
    }
    assert.deepEqual([1, 0x3c00, 0x7bff].map(fromF16), [2 ** -24, 1, 65504]);
  });
  test("between two of them the nearer is taken, halfway the even one", () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const [low, high] = [fromF16(bits), fromF16(bits + 1)];
      const gap = high - low;
      assert.equal(toF16(low + gap / 2), bits + (bits & 1));
      assert.equal(toF16(low + gap * 0.499), bits);
      assert.equal(toF16(-low - gap * 0.501), (bits + 1) | 0x8000);
    }
  });
  test("too large becomes infinite, NaN stays NaN", () => {
    assert.deepEqual([65519, 65520, -1e9].map(toF16), [0x7bff, 0x7c00, 0xfc00]);
    assert.ok(Number.isNaN(fromF16(toF16(Number.NaN))));
    assert.equal(fromF16(0xfc00), -Infinity);
  });
});
