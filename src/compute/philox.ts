/**
 * Philox4x32-10: random numbers as a function of (key, counter), so that any element of any
 * stream is computed alone, in any order, on any backend. @see Salmon et al. 2011
 */

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High 32 bits of a × b, both unsigned 32-bit. */
function multiplyHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const carry = (middle & 0xffff) + a0 * b1;
  // The quotients may exceed 32 bits signed, which `>>>` would still read right.
  return (a1 * b1 + Math.floor(middle / 65536) + Math.floor(carry / 65536)) >>> 0;
}

/** One block of four 32-bit words into `out`; no allocation, since models draw millions. */
function philoxInto(out: Uint32Array, counter: readonly number[], key: readonly number[]): void {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const h0 = multiplyHigh(M0, c0);
    const h1 = multiplyHigh(M1, c2);
    const l0 = Math.imul(M0, c0);
    const l1 = Math.imul(M1, c2);
    c0 = (h1 ^ c1 ^ k0) >>> 0;
    c1 = l1 >>> 0;
    c2 = (h0 ^ c3 ^ k1) >>> 0;
    c3 = l0 >>> 0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** One block of four 32-bit words. */
export function philox(counter: readonly number[], key: readonly number[]): number[] {
  const out = new Uint32Array(4);
  philoxInto(out, counter, key);
  return [...out];
}

/** 24 random bits as a number in [0, 1): exactly representable in f32. */
export const toUnit = (word: number): number => (word >>> 8) / 16777216;

type Floats = Float32Array | Float64Array;

/** Calls `write(i, words)` for every block of four elements of stream (seed, stream). */
function forEachBlock(
  length: number,
  seed: number,
  stream: number,
  write: (i: number, words: Uint32Array) => void,
): void {
  const words = new Uint32Array(4);
  const counter = [0, 0, stream >>> 0, 0];
  const key = [seed >>> 0, 0];
  for (let i = 0; i < length; i += 4) {
    counter[0] = i / 4;
    philoxInto(words, counter, key);
    write(i, words);
  }
}

/** Fills `out` with uniforms in [0, 1) of stream (seed, stream). */
export function fillUniform(out: Floats, seed: number, stream: number): void {
  forEachBlock(out.length, seed, stream, (i, words) => {
    for (let k = 0; k < 4 && i + k < out.length; k++) out[i + k] = toUnit(words[k]);
  });
}

/** Fills `out` with N(0, std²) by Box–Muller on the same streams. */
export function fillNormal(out: Float32Array, std: number, seed: number, stream: number): void {
  forEachBlock(out.length, seed, stream, (i, words) => {
    for (let k = 0; k < 4; k += 2) {
      // 1 - u is in (0, 1], so that the logarithm is finite.
      const radius = std * Math.sqrt(-2 * Math.log(1 - toUnit(words[k])));
      const angle = 2 * Math.PI * toUnit(words[k + 1]);
      // Beyond the end of a typed array a write is ignored.
      out[i + k] = radius * Math.cos(angle);
      out[i + k + 1] = radius * Math.sin(angle);
    }
  });
}
