/**
 * Weights in the number formats of model files, as bytes. The block formats are llama.cpp's, to
 * the bit: 32 weights of a row share one scale.
 *
 *     q8_0   f16 d, 32 × i8 q        w ≈ d · q           34 bytes
 *     q4_0   f16 d, 16 × (low, high) w ≈ d · (q - 8)     18 bytes; low nibbles are the first 16
 *
 * @throws CHECKPOINT, from the block formats, when a weight is not finite
 * @see ggml's quantize_row_q8_0_ref and quantize_row_q4_0_ref
 */
import { toBf16, toF16 } from "../../compute/numbers.ts";
import { BLOCK, type QuantFormat } from "../../compute/quants.ts";
import { quantize } from "../model/quantize.ts";

export type NumberFormat = "f32" | "bf16" | "f16" | "q8_0" | "q4_0";

interface Format {
  /** Bytes of `block` weights. */
  readonly bytes: number;
  readonly block: number;
  encode(values: Float32Array): Uint8Array;
}

export const numberFormats: Readonly<Record<NumberFormat, Format>> = {
  f32: { bytes: 4, block: 1, encode: bytesOf },
  bf16: { bytes: 2, block: 1, encode: (values) => bytesOf(toBf16(values)) },
  f16: { bytes: 2, block: 1, encode: (values) => bytesOf(Uint16Array.from(values, toF16)) },
  q8_0: { bytes: 34, block: BLOCK, encode: (values) => blocks("q8_0", values) },
  q4_0: { bytes: 18, block: BLOCK, encode: (values) => blocks("q4_0", values) },
};

/** @param size number of weights, a multiple of the format's block */
export function formatBytes(format: NumberFormat, size: number): number {
  const { bytes, block } = numberFormats[format];
  return (size / block) * bytes;
}

function bytesOf(array: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Scale and numbers of each block, as the file has them. */
function blocks(format: QuantFormat, values: Float32Array): Uint8Array {
  const { numbers, scales } = quantize(format, values, [values.length / BLOCK, BLOCK], format);
  const out = new Uint8Array(formatBytes(format, values.length));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const [block, scale] of scales.entries()) {
    const own = numbers.subarray(block * BLOCK, (block + 1) * BLOCK);
    view.setUint16(at, scale, true);
    at += 2;
    if (format === "q8_0") out.set(own, at);
    else for (let i = 0; i < HALF; i++) out[at + i] = nibble(own, i) | (nibble(own, i + HALF) << 4);
    at += format === "q8_0" ? BLOCK : HALF;
  }
  return out;
}

const HALF = BLOCK / 2;
const nibble = (numbers: Int8Array, i: number): number => (numbers[i] as number) + 8;
