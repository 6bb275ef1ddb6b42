/**
 * Weights in 8 or 4 bits: a model's matrices as q8_0 or q4_0 numbers (src/compute/quants.ts), made
 * from its f32 parameters, and the graph's leaves that read them. Numbers and scales are those that
 * llama.cpp's reference quantiser gives, so an exported file may take them as they are.
 *
 * All matrices are quantised, gains are not. Under q4_0 the embedding table and the head keep 8
 * bits: they decide on every token, and 4 bits there cost more than in all layers together.
 */
import type { HostArray, Store } from "../../compute/backend.ts";
import { state, type Value } from "../../compute/graph.ts";
import { fromF16, toF16 } from "../../compute/numbers.ts";
import { dequantize } from "../../compute/ops/dequantize.ts";
import {
  BLOCK,
  type MatrixShape,
  packedTypes,
  packQuants,
  type QuantFormat,
  type QuantMatrix,
} from "../../compute/quants.ts";
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "./config.ts";
import { type ParameterSpec, parameterSpecs } from "./parameters.ts";

/** The format of each parameter that is quantised; absent = stays f32. */
function formatOf({ role }: ParameterSpec, format: QuantFormat): QuantFormat | undefined {
  if (role === "gain") return undefined;
  return role === "matrix" ? format : "q8_0";
}

export interface QuantSpec {
  readonly name: string;
  readonly shape: MatrixShape;
  readonly format: QuantFormat;
}

/** @returns the parameters that are quantised, in the model's order */
export function quantSpecs(config: ModelConfig, format: QuantFormat): QuantSpec[] {
  return parameterSpecs(config).flatMap((spec) => {
    const own = formatOf(spec, format);
    const [rows, columns] = spec.shape as [number, number];
    return own === undefined ? [] : [{ name: spec.name, shape: [rows, columns], format: own }];
  });
}

const stateNames = ({ name, format }: QuantSpec): { quants: string; scales: string } => ({
  quants: `${name}.${format}.quants`,
  scales: `${name}.${format}.scales`,
});

/**
 * A model's parameters for graphs that read quantised weights: every matrix stands for its packed
 * states `NAME.FORMAT.quants` and `.scales`, gains are f32 states under their own names.
 * @throws SHAPE when a matrix has rows that are not whole blocks
 */
export function quantizedParameters(config: ModelConfig, format: QuantFormat): Map<string, Value> {
  const quantised = new Map(quantSpecs(config, format).map((spec) => [spec.name, spec]));
  return new Map(
    parameterSpecs(config).map(({ name, shape }) => {
      const spec = quantised.get(name);
      return [name, spec === undefined ? state(name, shape) : quantLeaf(spec)];
    }),
  );
}

function quantLeaf(spec: QuantSpec): Value {
  const types = packedTypes(spec.format, spec.shape);
  const names = stateNames(spec);
  const quants = state(names.quants, types.quants.shape, "i32");
  const scales = state(names.scales, types.scales.shape, "i32");
  return dequantize(quants, scales, { format: spec.format, shape: spec.shape });
}

/**
 * Defines and fills the states that `quantizedParameters` reads.
 * @param read an f32 parameter by its name: a store's `read`, a checkpoint's tensor
 * @throws CHECKPOINT when a parameter is not finite
 */
export async function quantizeInto(
  store: Store,
  config: ModelConfig,
  format: QuantFormat,
  read: (name: string) => Promise<HostArray>,
): Promise<void> {
  const quantised = new Map(quantSpecs(config, format).map((spec) => [spec.name, spec]));
  for (const { name, shape } of parameterSpecs(config)) {
    const values = Float32Array.from(await read(name));
    const spec = quantised.get(name);
    if (spec !== undefined) await writeQuantised(store, spec, values);
    else {
      store.define(name, { shape, dtype: "f32" });
      await store.write(name, values);
    }
  }
}

async function writeQuantised(store: Store, spec: QuantSpec, values: Float32Array): Promise<void> {
  const types = packedTypes(spec.format, spec.shape);
  const names = stateNames(spec);
  const packed = packQuants(quantize(spec.format, values, spec.shape, spec.name));
  for (const part of ["quants", "scales"] as const) {
    store.define(names[part], types[part]);
    await store.write(names[part], packed[part]);
  }
}

interface BlockRule {
  /** f32 scale, before it is rounded to f16, from the entry of the largest magnitude. */
  readonly scale: (extreme: number) => number;
  /** @param x entry · (1 / scale), in f32 */
  readonly number: (x: number) => number;
}

const rules: Readonly<Record<QuantFormat, BlockRule>> = {
  // To the nearest whole number, halves away from zero.
  q8_0: {
    scale: (extreme) => Math.fround(Math.abs(extreme) / 127),
    number: (x) => Math.trunc(x + Math.sign(x) * 0.5),
  },
  // The extreme becomes -8, whatever its sign; 7 is as far as the other side goes.
  q4_0: {
    scale: (extreme) => Math.fround(extreme / -8),
    number: (x) => Math.min(15, Math.trunc(Math.fround(x + 8.5))) - 8,
  },
};

/** The entry of the largest magnitude; of several, the first; NaN when one is none. */
function extremeOf(x: Float32Array, from: number): number {
  let extreme = 0;
  for (let i = from; i < from + BLOCK; i++) {
    const entry = x[i] as number;
    if (Number.isNaN(entry)) return entry;
    if (Math.abs(entry) > Math.abs(extreme)) extreme = entry;
  }
  return extreme;
}

/**
 * @param values [R, C]  @param where names the matrix in errors
 * @throws SHAPE when C is not whole blocks, CHECKPOINT when a value is not finite or a scale
 *   exceeds f16
 */
export function quantize(
  format: QuantFormat,
  values: Float32Array,
  shape: MatrixShape,
  where = "quantize",
): QuantMatrix {
  packedTypes(format, shape);
  const rule = rules[format];
  const numbers = new Int8Array(values.length);
  const scales = new Uint16Array(values.length / BLOCK);
  for (let b = 0; b < scales.length; b++) {
    const scale = rule.scale(extremeOf(values, b * BLOCK));
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    scales[b] = toF16(scale);
    if (!Number.isFinite(fromF16(scales[b] as number))) throw notFinite(where, scale);
    for (let i = b * BLOCK; i < (b + 1) * BLOCK; i++)
      numbers[i] = rule.number(Math.fround((values[i] as number) * inverse));
  }
  return { format, shape, numbers, scales };
}

const notFinite = (where: string, scale: number): NutshellError =>
  new NutshellError(
    "CHECKPOINT",
    `${where}: weights must be finite and a block's scale fit f16, got a block whose scale is ${scale}. Quantise another checkpoint.`,
  );

/** @returns f32 [R, C], what the numbers stand for */
export function dequantized({ numbers, scales }: QuantMatrix): Float32Array {
  return Float32Array.from(numbers, (q, i) => q * fromF16(scales[Math.floor(i / BLOCK)] as number));
}
