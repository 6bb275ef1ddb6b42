/**
 * Philox4x32-10: random numbers as a function of (key, counter), so that any element of any
 * stream is computed alone, in any order, on any backend. @see Salmon et al. 2011
 */

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High and low 32 bits of a × b, both unsigned 32-bit. */
function multiply(a: number, b: number): [high: number, low: number] {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const carry = (middle & 0xffff) + a0 * b1;
  const high = a1 * b1 + Math.floor(middle / 65536) + Math.floor(carry / 65536);
  return [high >>> 0, Math.imul(a, b) >>> 0];
}

/** One block of four 32-bit words. */
export function philox(counter: readonly number[], key: readonly number[]): number[] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [h0, l0] = multiply(M0, c0);
    const [h1, l1] = multiply(M1, c2);
    [c0, c1, c2, c3] = [(h1 ^ c1 ^ k0) >>> 0, l1, (h0 ^ c3 ^ k1) >>> 0, l0];
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** 24 random bits as a number in [0, 1): exactly representable in f32. */
export const toUnit = (word: number): number => (word >>> 8) / 16777216;

/** Fills `out` with uniforms in [0, 1) of stream (seed, stream). */
export function fillUniform(out: Float32Array | Float64Array, seed: number, stream: number): void {
  for (let i = 0; i < out.length; i += 4) {
    const block = philox([i / 4, 0, stream >>> 0, 0], [seed >>> 0, 0]);
    for (let k = 0; k < 4 && i + k < out.length; k++) out[i + k] = toUnit(block[k]);
  }
}

/** Fills `out` with N(0, std²) by Box–Muller on the same streams. */
export function fillNormal(out: Float32Array, std: number, seed: number, stream: number): void {
  for (let i = 0; i < out.length; i += 4) {
    const words = philox([i / 4, 0, stream >>> 0, 0], [seed >>> 0, 0]);
    for (let k = 0; k < 4 && i + k < out.length; k++) {
      const radius = Math.sqrt(-2 * Math.log(1 - toUnit(words[k & ~1])));
      const angle = 2 * Math.PI * toUnit(words[k | 1]);
      out[i + k] = std * radius * (k & 1 ? Math.sin(angle) : Math.cos(angle));
    }
  }
}
