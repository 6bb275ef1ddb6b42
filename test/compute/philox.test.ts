/** Philox against the published vectors, and what a counter-based generator promises. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { input } from "../../src/compute/graph.ts";
import { randomUniform } from "../../src/compute/ops/random-uniform.ts";
import { fillNormal, fillUniform, philox, toUnit } from "../../src/compute/philox.ts";
import { forEachBackend } from "./for-each-backend.ts";

const hex = (text: string): number[] => text.split(" ").map((word) => Number.parseInt(word, 16));

/** philox4x32, 10 rounds, from kat_vectors of Random123 (Salmon et al. 2011). */
const vectors: readonly (readonly [counter: string, key: string, result: string])[] = [
  ["0 0 0 0", "0 0", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
  [
    "ffffffff ffffffff ffffffff ffffffff",
    "ffffffff ffffffff",
    "408f276d 41c83b0e a20bc7c6 6d5451fd",
  ],
  [
    "243f6a88 85a308d3 13198a2e 03707344",
    "a4093822 299f31d0",
    "d16cfe09 94fdcceb 5001e420 24126ea1",
  ],
];

const uniforms = (n: number, seed: number, stream: number): Float32Array => {
  const out = new Float32Array(n);
  fillUniform(out, seed, stream);
  return out;
};

const mean = (x: ArrayLike<number>): number => Array.from(x).reduce((a, b) => a + b, 0) / x.length;

describe("philox4x32-10", () => {
  for (const [counter, key, result] of vectors)
    test(`counter ${counter}`, () => {
      assert.deepEqual(philox(hex(counter), hex(key)), hex(result));
    });

  test("blocks do not depend on the order in which they are made", () => {
    const block = (i: number): number[] => philox([i, 0, 3, 0], [11, 0]);
    const forwards = [0, 1, 2, 3, 4].map(block);
    const backwards = [4, 3, 2, 1, 0].map(block).reverse();
    assert.deepEqual(forwards, backwards);
  });
});

describe("uniform numbers", () => {
  test("lie in [0, 1), at the ends of the word range too", () => {
    assert.equal(toUnit(0), 0);
    assert.equal(toUnit(0xffffffff), 1 - 2 ** -24);
    assert.equal(Math.fround(toUnit(0xffffffff)), toUnit(0xffffffff));
  });
  test("a prefix of a long fill is a short fill", () => {
    assert.deepEqual(uniforms(1001, 5, 1).slice(0, 7), uniforms(7, 5, 1));
  });
  test("seeds and streams differ", () => {
    const base = uniforms(64, 5, 1);
    for (const other of [uniforms(64, 6, 1), uniforms(64, 5, 2)])
      assert.equal(base.filter((x, i) => x === other[i]).length, 0);
  });
  test("are uniform: chi-square of 64 equal bins within 5 sigma", () => {
    const n = 65536;
    const bins = new Array<number>(64).fill(0);
    for (const x of uniforms(n, 1, 1))
      bins[Math.floor(x * 64)] = (bins[Math.floor(x * 64)] ?? 0) + 1;
    const chi = bins.reduce((sum, k) => sum + (k - n / 64) ** 2 / (n / 64), 0);
    assert.ok(Math.abs(chi - 63) < 5 * Math.sqrt(2 * 63), `chi-square ${chi} for 63 degrees`);
  });
  test("neighbours are not correlated", () => {
    const x = uniforms(65536, 2, 9);
    const products = Array.from(x.subarray(1), (next, i) => (next - 0.5) * ((x[i] ?? 0) - 0.5));
    assert.ok(Math.abs(mean(products) * 12) < 5 / Math.sqrt(x.length));
  });
});

test("normal numbers have the asked mean, deviation and tails", () => {
  const x = new Float32Array(65536);
  fillNormal(x, 2, 3, 4);
  assert.ok(Math.abs(mean(x)) < (5 * 2) / 256);
  assert.ok(Math.abs(mean(x.map((v) => v * v)) / 4 - 1) < 5 * Math.sqrt(2 / x.length));
  const beyond = x.filter((v) => Math.abs(v) > 4).length / x.length;
  assert.ok(Math.abs(beyond - 0.0455) < 0.005, `${beyond} beyond two deviations`);
  assert.ok(x.every(Number.isFinite));
});

forEachBackend("randomUniform is Philox of [block, 0, stream, counter]", async (backend) => {
  const outputs = { u: randomUniform([6], 0xa4093822, 7, input("step", [], "i32")) };
  const program = await backend.compile({ outputs }, backend.createStore());
  const { u } = await program.run({ step: Int32Array.of(12) });
  const words = [0, 1].flatMap((block) => philox([block, 0, 7, 12], [0xa4093822, 0]));
  assert.deepEqual(Array.from(u ?? []), words.slice(0, 6).map(toUnit));
  const again = await program.run({ step: Int32Array.of(13) });
  assert.notDeepEqual(again.u, u);
  program.dispose();
});
