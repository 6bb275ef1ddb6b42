/**
 * Quantised matrices in a safetensors file: a matrix NAME [R, C] is kept as the whole numbers of
 * q8_0, I8 [R, C] under its own name, and their scales, F16 [R, C / 32] under NAME.scales. Weight =
 * number · scale. Quantising what was read gives the same numbers again, so that nothing is lost
 * by passing through f32.
 */
import { BLOCK, type MatrixShape } from "../../compute/quants.ts";
import { quantize } from "./quantize.ts";
import type { StoredTensor } from "./safetensors.ts";

export const SCALES = ".scales";

/** What the file lists for a matrix, in the order of its bytes. */
export function quantizedEntries(name: string, [rows, columns]: MatrixShape): StoredTensor[] {
  return [
    { name, dtype: "I8", shape: [rows, columns] },
    { name: `${name}${SCALES}`, dtype: "F16", shape: [rows, columns / BLOCK] },
  ];
}

/** @returns the bytes of the two entries  @throws SHAPE, CHECKPOINT as `quantize` does */
export function quantizedBytes(
  name: string,
  values: Float32Array,
  shape: MatrixShape,
): readonly [numbers: Uint8Array, scales: Uint8Array] {
  const { numbers, scales } = quantize("q8_0", values, shape, name);
  return [new Uint8Array(numbers.buffer), new Uint8Array(scales.buffer)];
}

/** Whole numbers become weights, in place. @param scales one a block of 32 */
export function applyScales(numbers: Float32Array, scales: Float32Array): Float32Array {
  for (let i = 0; i < numbers.length; i++)
    numbers[i] = (numbers[i] as number) * (scales[Math.floor(i / BLOCK)] as number);
  return numbers;
}
