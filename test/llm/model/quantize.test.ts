/**
 * Quantised weights: blocks worked out by hand, bounds in closed form, and a model that reads packed
 * weights against the same model with the unpacked numbers as its f32 parameters.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Backend, HostArray, Store } from "../../../src/compute/backend.ts";
import { input, type Value } from "../../../src/compute/graph.ts";
import { fillNormal } from "../../../src/compute/philox.ts";
import {
  BLOCK,
  dequantizeRow,
  type MatrixShape,
  packedTypes,
  packQuants,
  type QuantFormat,
} from "../../../src/compute/quants.ts";
import { sizeOf } from "../../../src/compute/shape.ts";
import { planDepth } from "../../../src/llm/model/depth.ts";
import { initialise, parameterSpecs } from "../../../src/llm/model/parameters.ts";
import {
  dequantized,
  quantize,
  quantizedParameters,
  quantizeInto,
  quantSpecs,
} from "../../../src/llm/model/quantize.ts";
import { hiddenStates, logits, modelParameters } from "../../../src/llm/model/transformer.ts";
import { assertClose } from "../../compute/close.ts";
import { forEachBackend } from "../../compute/for-each-backend.ts";

const formats = ["q8_0", "q4_0"] as const;

/** A block that begins with `head` and is zero behind it. */
const block = (...head: number[]): Float32Array =>
  Float32Array.from({ length: BLOCK }, (_, i) => head[i] ?? 0);

const headOf = (format: QuantFormat, ...head: number[]): { numbers: number[]; scale: number } => {
  const { numbers, scales } = quantize(format, block(...head), [1, BLOCK]);
  assert.ok([...numbers.subarray(head.length)].every((q) => q === 0));
  return { numbers: [...numbers.subarray(0, head.length)], scale: scales[0] ?? 0 };
};

describe("blocks by hand", () => {
  test("q8_0 keeps whole numbers, and takes halves away from zero", () => {
    const got = headOf("q8_0", 127, -127, 1, -3, 0.5, -0.5, 1.5, -2.5, 0.49, 126.5);
    assert.deepEqual(got.numbers, [127, -127, 1, -3, 1, -1, 2, -3, 0, 127]);
    assert.equal(got.scale, 0x3c00);
  });
  test("q4_0: the first of the largest becomes -8, the other side ends at 7", () => {
    assert.deepEqual(headOf("q4_0", -8, 8, 7, -7, 2.4, 2.6, 0.5, -0.5), {
      numbers: [-8, 7, 7, -7, 2, 3, 1, 0],
      scale: 0x3c00,
    });
    assert.deepEqual(headOf("q4_0", 8, -8, 7, -7, 1), {
      numbers: [-8, 7, -7, 7, -1],
      scale: 0xbc00,
    });
  });
  test("a block of zeros has scale zero", () => {
    assert.equal(headOf("q8_0").scale, 0);
    assert.equal(headOf("q4_0").scale, 0x8000); // 0 / -8
  });
});

const normal = (shape: MatrixShape, std: number): Float32Array => {
  const data = new Float32Array(sizeOf(shape));
  fillNormal(data, std, 5, 1);
  return data;
};

describe("bounds", () => {
  // Half a step (q4_0: a whole one at the clipped end), and what rounding the step to f16 moves.
  const steps = { q8_0: 0.5 + 127 * 2 ** -11, q4_0: 1 + 8 * 2 ** -11 };
  for (const format of formats)
    test(`${format}: no number is further off than its block's step allows`, () => {
      const shape = [64, 96] as const;
      const values = normal(shape, 0.02);
      const back = dequantized(quantize(format, values, shape));
      const levels = format === "q8_0" ? 127 : 8;
      let worst = 0;
      for (let i = 0; i < values.length; i += BLOCK) {
        const own = values.subarray(i, i + BLOCK);
        const step = Math.max(...own.map(Math.abs)) / levels;
        own.forEach((x, j) => {
          worst = Math.max(worst, Math.abs(x - (back[i + j] as number)) / step);
        });
      }
      assert.ok(worst <= steps[format] * (1 + 1e-6), `${worst} steps`);
      assert.ok(worst > 0.45, "the bound is nearly met");
    });
  test("what cannot be held is refused", () => {
    const bad = (x: number) => () => quantize("q8_0", block(1, x, 2), [1, BLOCK], "w");
    for (const x of [Number.NaN, Infinity, 1e7])
      assert.throws(bad(x), { code: "CHECKPOINT", message: /^w: weights must be finite/ });
    assert.throws(() => quantize("q4_0", new Float32Array(48), [1, 48]), { code: "SHAPE" });
  });
});

for (const format of formats)
  test(`${format}: packed rows are the matrix, in its bits a weight`, () => {
    const shape = [48, 96] as const;
    const matrix = quantize(format, normal(shape, 1), shape);
    const [packed, flat] = [packQuants(matrix), dequantized(matrix)];
    for (let r = 0; r < shape[0]; r++)
      assert.deepEqual(
        Float32Array.from(dequantizeRow(format, shape[1], packed, r)),
        flat.slice(r * shape[1], (r + 1) * shape[1]),
      );
    const bits = 32 * (packed.quants.length + packed.scales.length);
    assert.equal(bits / sizeOf(shape), format === "q8_0" ? 8.5 : 4.5);
    const odd = packedTypes(format, [49, 96]);
    assert.deepEqual(odd.scales.shape, [4, 3, 8]);
  });

async function modelLogits(
  backend: Backend,
  store: Store,
  tied: boolean,
  paramsOf: typeof modelParameters,
): Promise<HostArray> {
  const config = configOf(tied);
  const ids = input("ids", [1, 7], "i32");
  const params: ReadonlyMap<string, Value> = paramsOf(config);
  const { hidden } = hiddenStates(config, params, ids, { precision: "f32" });
  const graph = { outputs: { y: logits(config, params, hidden, "f32") } };
  const program = await backend.compile(graph, store);
  const { y } = await program.run({ ids: Int32Array.of(3, 1, 4, 1, 5, 9, 2) });
  program.dispose();
  return y as HostArray;
}

const configOf = (tiedEmbeddings: boolean) =>
  planDepth(1, { vocabSize: 75, sequenceLen: 16, optimizer: "adamw", tiedEmbeddings }).config;

for (const format of formats)
  for (const tied of [false, true])
    forEachBackend(`a ${format} model, ${tied ? "tied" : "own"} head`, async (backend) => {
      const config = configOf(tied);
      const [full, packed] = [backend.createStore(), backend.createStore()];
      await initialise(full, config, 1);
      await quantizeInto(packed, config, format, (name) => full.read(name));
      for (const { name, shape, format: own } of quantSpecs(config, format)) {
        const values = (await full.read(name)) as Float32Array;
        await full.write(name, dequantized(quantize(own, values, shape)));
      }
      const want = await modelLogits(backend, full, tied, modelParameters);
      const got = await modelLogits(backend, packed, tied, (c) => quantizedParameters(c, format));
      assertClose("logits", got, want, 2e-4);
      const gains = parameterSpecs(config).filter(({ role }) => role === "gain");
      const f32 = packed.names().filter((name) => packed.type(name).dtype === "f32");
      assert.deepEqual(
        f32,
        gains.map(({ name }) => name),
      );
      for (const store of [full, packed]) store.dispose();
    });
