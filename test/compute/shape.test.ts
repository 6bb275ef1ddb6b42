/** Shape rules: what is refused says so in one line that names the op, the rule and the values. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type DType, input, type Value } from "../../src/compute/graph.ts";
import { adamw } from "../../src/compute/ops/adamw.ts";
import { attention } from "../../src/compute/ops/attention.ts";
import { broadcastTo, sum } from "../../src/compute/ops/broadcast.ts";
import { add, mul, select } from "../../src/compute/ops/elementwise.ts";
import { embedding } from "../../src/compute/ops/embedding.ts";
import { linearCrossEntropy } from "../../src/compute/ops/linear-cross-entropy.ts";
import { matmul } from "../../src/compute/ops/matmul.ts";
import { randomUniform } from "../../src/compute/ops/random-uniform.ts";
import { max } from "../../src/compute/ops/reduce.ts";
import { reshape } from "../../src/compute/ops/reshape.ts";
import { rmsNorm } from "../../src/compute/ops/rms-norm.ts";
import { rope } from "../../src/compute/ops/rope.ts";
import { sampleRows } from "../../src/compute/ops/sample-rows.ts";
import { pad, slice } from "../../src/compute/ops/slice.ts";
import { transpose } from "../../src/compute/ops/transpose.ts";
import { writeRows } from "../../src/compute/ops/write-rows.ts";
import { broadcastShape, broadcastStrides, sizeOf, stridesOf } from "../../src/compute/shape.ts";
import { NutshellError } from "../../src/error.ts";
import { forEachBackend } from "./for-each-backend.ts";

const x = (...shape: number[]): Value => input("x", shape);
const i = (...shape: number[]): Value => input("i", shape, "i32");
const b16 = (...shape: number[]): Value => input("b", shape, "bf16");
const adamwAttrs = { beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0, lrScale: 1 };

const refused: readonly (readonly [name: string, build: () => unknown, message: RegExp])[] = [
  ["sizes that do not broadcast", () => add(x(3, 4), x(3)), /^add: .*f32 \[3, 4\], f32 \[3\]\.$/],
  ["f32 with i32", () => mul(x(3), i(3)), /^mul: .*f32 \[3\], i32 \[3\]\.$/],
  ["arms of two dtypes", () => select(i(3), x(3), i(3)), /^select: .*f32 \[3\], i32 \[3\]\.$/],
  ["another element count", () => reshape(x(2, 3), [4]), /^reshape: .*\[4\].*f32 \[2, 3\]\.$/],
  [
    "an order that repeats",
    () => transpose(x(2, 3), [0, 0]),
    /^transpose: .*\[0, 0\].*\[2, 3\]\.$/,
  ],
  ["an order too short", () => transpose(x(2, 3), [0]), /^transpose: .*\[0\].*\[2, 3\]\.$/],
  [
    "a shrinking broadcast",
    () => broadcastTo(x(2, 3), [2, 1]),
    /^broadcast: .*\[2, 1\].*\[2, 3\]\.$/,
  ],
  ["a window outside", () => slice(x(4), [2], [3]), /^slice: .*\[3\] at \[2\].*f32 \[4\]\.$/],
  ["a window before the start", () => slice(x(4), [-1], [3]), /^slice: .*at \[-1\].*f32 \[4\]\.$/],
  ["padding into less", () => pad(x(4), [2], [5]), /^pad: .*\[5\] at \[2\].*f32 \[4\]\.$/],
  ["an axis too many", () => sum(x(2, 3), [2]), /^sum: .*\[2\].*f32 \[2, 3\]\.$/],
  ["a negative axis", () => max(x(2, 3), [-1]), /^max: .*\[-1\].*f32 \[2, 3\]\.$/],
  [
    "inner sizes that differ",
    () => matmul(x(2, 3), x(4, 5)),
    /^matmul: .*\[2, 3\], f32 \[4, 5\]\.$/,
  ],
  ["a vector as matrix", () => matmul(x(2, 3), x(3)), /^matmul: .*\[2, 3\], f32 \[3\]\.$/],
  [
    "batches that differ",
    () => matmul(x(2, 3, 4), x(3, 4, 5)),
    /^matmul: .*\[2, 3, 4\], f32 \[3, 4, 5\]\.$/,
  ],
  [
    "transposeA with rows in front",
    () => matmul(x(2, 3, 4), x(3, 5), { transposeA: true }),
    /^matmul: transposeA .*\[2, 3, 4\], f32 \[3, 5\]\.$/,
  ],
  [
    "heads that do not divide",
    () => attention(x(2, 8, 6, 4), x(2, 8, 4, 4), x(2, 8, 4, 4)),
    /^attention: key heads must divide query heads, got .*\[2, 8, 6, 4\], f32 \[2, 8, 4, 4\]/,
  ],
  [
    "keys and values that differ",
    () => attention(x(2, 8, 4, 4), x(2, 8, 4, 4), x(2, 7, 4, 4)),
    /^attention: .*f32 \[2, 7, 4, 4\]\.$/,
  ],
  [
    "a gain of another length",
    () => rmsNorm(x(2, 4), x(3), 1e-5),
    /^rmsNorm: .*\[2, 4\], f32 \[3\]\.$/,
  ],
  [
    "an odd head size",
    () => rope(x(1, 2, 3, 5), 1e4),
    /^rope: .*even D, got f32 \[1, 2, 3, 5\]\.$/,
  ],
  [
    "a float position",
    () => rope(x(1, 2, 3, 4), 1e4, x()),
    /^rope: .*i32 scalar or i32 \[1\], got f32 \[\]\.$/,
  ],
  ["float ids", () => embedding(x(5, 4), x(3)), /^embedding: .*\[5, 4\], f32 \[3\]\.$/],
  [
    "targets of another count",
    () => linearCrossEntropy(x(3, 4), x(7, 4), i(2), "f32"),
    /^linearCrossEntropy: .*\[3, 4\], f32 \[7, 4\], i32 \[2\]\.$/,
  ],
  ["a float counter", () => randomUniform([3], 1, 1, x()), /^randomUniform: .*got f32 \[\]\.$/],
  [
    "rows wider than the cache",
    () => writeRows(x(2, 6, 3), x(2, 1, 4), i()),
    /^writeRows: .*\[2, 6, 3\], f32 \[2, 1, 4\], i32 \[\]\.$/,
  ],
  [
    "a gradient of another shape",
    () => adamw(x(3, 4), x(3), x(3, 4), x(3, 4), x(5), adamwAttrs),
    /^adamw: .*f32 \[3, 4\], f32 \[3\]/,
  ],
  ["moments in bf16", () => adamw(x(3), x(3), b16(3), b16(3), x(5), adamwAttrs), /^adamw: .*bf16/],
  ["a gain in bf16", () => rmsNorm(x(2, 4), b16(4), 1e-5), /^rmsNorm: .*f32 vector.*bf16 \[4\]\.$/],
  [
    "keys of another dtype than queries",
    () => attention(x(1, 2, 1, 4), b16(1, 2, 1, 4), b16(1, 2, 1, 4)),
    /^attention: .*f32 \[1, 2, 1, 4\], bf16/,
  ],
  [
    "more first positions than rows",
    () => attention(x(1, 2, 1, 4), x(1, 2, 1, 4), x(1, 2, 1, 4), { first: i(2) }),
    /^attention: .*i32 scalar or i32 \[1\], got i32 \[2\]\.$/,
  ],
  [
    "pages of a cache without positions",
    () => attention(x(1, 2, 1, 4), x(3, 2, 1, 4), x(3, 2, 1, 4), { pages: i(1, 1) }),
    /^attention: pages of a cache need first positions, got i32 \[1, 1\]\.$/,
  ],
  [
    "a page table for another batch",
    () => writeRows(x(3, 16, 4), x(2, 1, 4), i(2), i(3, 2)),
    /^writeRows: the page table must be i32 \[2, M\], got i32 \[3, 2\]\.$/,
  ],
  [
    "a page table of floats",
    () => writeRows(x(3, 16, 4), x(2, 1, 4), i(2), x(2, 2)),
    /^writeRows: the page table must be i32 \[2, M\], got f32 \[2, 2\]\.$/,
  ],
  [
    "pages that vectors do not fit into",
    () => writeRows(x(3, 24, 4), x(2, 1, 4), i(2), i(2, 2)),
    /^writeRows: pages must hold a multiple of 16 tokens, got f32 \[3, 24, 4\]\.$/,
  ],
  [
    "more rows than a text's pages hold",
    () => writeRows(x(3, 16, 4), x(2, 33, 4), i(2), i(2, 2)),
    /^writeRows: .*\[3, 16, 4\], f32 \[2, 33, 4\], i32 \[2\]\.$/,
  ],
  [
    "queries to pages without a table",
    () => attention(x(2, 1, 1, 4), x(3, 16, 1, 4), x(3, 16, 1, 4), { first: i(2) }),
    /^attention: .*\[2, 1, 1, 4\], f32 \[3, 16, 1, 4\]/,
  ],
  [
    "uniforms for another batch",
    () => sampleRows(x(2, 5), x(3), x(2), i()),
    /^sampleRows: .*\[2, 5\], f32 \[3\], f32 \[2\], i32 \[\]\.$/,
  ],
];

describe("refused operands", () => {
  for (const [name, build, message] of refused)
    test(name, () => {
      assert.throws(build, (error) => {
        assert.ok(error instanceof NutshellError, String(error));
        assert.equal(error.code, "SHAPE");
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n|undefined|NaN/);
        return true;
      });
    });
});

describe("result types", () => {
  const rows: readonly (readonly [string, Value, readonly number[], DType])[] = [
    ["bf16 arithmetic gives f32", add(input("b", [3], "bf16"), 1), [3], "f32"],
    ["i32 arithmetic gives i32", add(i(3), 1), [3], "i32"],
    ["an i32 condition does not make the result i32", select(i(3), x(3), 0), [3], "f32"],
    ["operands broadcast", mul(x(4, 1), x(2, 1, 3)), [2, 4, 3], "f32"],
    ["a sum over all axes is a scalar", sum(x(2, 3)), [], "f32"],
    ["leading axes of A stay", matmul(x(2, 3, 4), x(4, 5)), [2, 3, 5], "f32"],
  ];
  for (const [name, value, shape, dtype] of rows)
    test(name, () => assert.deepEqual([value.shape, value.dtype], [shape, dtype]));
});

describe("arithmetic on shapes", () => {
  const shape = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 });
  test("broadcasting is symmetric and keeps what it extends to", () => {
    const property = fc.property(shape, shape, (a, b) => {
      const joined = broadcastShape(a, b);
      assert.deepEqual(broadcastShape(b, a), joined);
      if (joined !== undefined) assert.deepEqual(broadcastShape(a, joined), joined);
    });
    fc.assert(property, { seed: 1 });
  });
  test("the last position's offset is the last element", () => {
    const property = fc.property(shape, (a) => {
      const last = a.reduce((offset, n, axis) => offset + (n - 1) * (stridesOf(a)[axis] ?? 0), 0);
      assert.equal(last, sizeOf(a) - 1);
    });
    fc.assert(property, { seed: 2 });
  });
  test("repeated axes have stride 0", () => {
    assert.deepEqual(broadcastStrides([3, 1], [2, 3, 4]), [0, 1, 0]);
  });
});

forEachBackend("a missing or short input is an error that names it", async (backend) => {
  const program = await backend.compile({ outputs: { y: add(x(2, 3), 1) } }, backend.createStore());
  const message = (got: string): RegExp =>
    new RegExp(`^run: input "x" must have \\[2, 3\\] elements, got ${got}\\.$`);
  await assert.rejects(program.run({}), { code: "SHAPE", message: message("none") });
  const short = { x: new Float32Array(5) };
  await assert.rejects(program.run(short), { code: "SHAPE", message: message("5") });
  program.dispose();
});
