/** bf16: the upper half of an f32, rounded to nearest with ties to even. f16: IEEE binary16. */

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

/** The bits of the nearest f16 number, ties to even; what is too large becomes infinite. */
export function toF16(x: number): number {
  f32[0] = x;
  const sign = (u32[0] >>> 16) & 0x8000;
  const size = Math.abs(f32[0]);
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  // Below 2^-14 numbers are 2^-24 apart: adding 2^-1 to a multiple of that in f32 rounds it.
  if (size < 2 ** -14) return sign | ((Math.fround(size + 0.5) - 0.5) * 2 ** 24);
  const bits = (u32[0] & 0x7fffffff) - (112 << 23);
  return sign | ((bits + 0xfff + ((bits >>> 13) & 1)) >>> 13);
}

/** The number that f16 bits stand for. */
export function fromF16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
