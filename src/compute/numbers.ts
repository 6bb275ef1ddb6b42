/** bf16: the upper half of an f32, rounded to nearest with ties to even. */

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** Rounds to the nearest bf16 number. NaN stays NaN. */
export function roundBf16(x: number): number {
  f32[0] = x;
  if (Number.isNaN(x)) return x;
  u32[0] += 0x7fff + ((u32[0] >>> 16) & 1);
  u32[0] &= 0xffff0000;
  return f32[0];
}

/** f32 → bf16 words. */
export function toBf16(values: ArrayLike<number>): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) {
    f32[0] = roundBf16(values[i]);
    out[i] = u32[0] >>> 16;
  }
  return out;
}

/** bf16 words → f32. */
export function fromBf16(words: Uint16Array): Float32Array {
  const out = new Float32Array(words.length);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < words.length; i++) bits[i] = words[i] << 16;
  return out;
}
