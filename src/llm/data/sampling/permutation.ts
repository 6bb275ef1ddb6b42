/**
 * Orders without memory: a permutation of 0 … n - 1 under a key, any element of it computed alone.
 * A Feistel network permutes the least power of four that holds n; what falls outside is sent
 * through again until it lies inside ("cycle walking"), fewer than four times on average.
 *
 * @see Black & Rogaway 2002, "Ciphers with arbitrary finite domains"
 */
import { philox } from "../../../compute/philox.ts";

/** @returns the element at `index`, an integer in [0, size) */
export type Permutation = (index: number) => number;

const ROUNDS = 8;

/** Separates these draws from other streams of the same seed. */
const STREAM = 0x64617461;

/**
 * @param size at most 2^32
 * @param seed a safe integer  @param a, b 32 bits each: a source and its epoch, for instance
 */
export function createPermutation(size: number, seed: number, a: number, b: number): Permutation {
  const half = Math.max(1, Math.ceil(Math.log2(Math.max(2, size)) / 2));
  const mask = 2 ** half - 1;
  const keys = roundKeys(seed, a, b);
  const shuffle = (index: number): number => {
    let left = Math.floor(index / 2 ** half);
    let right = index & mask;
    for (let round = 0; round < ROUNDS; round++) {
      const mixed = left ^ (mix(right ^ (keys[round] as number)) & mask);
      left = right;
      right = mixed;
    }
    return left * 2 ** half + right;
  };
  return (index) => {
    let at = shuffle(index);
    while (at >= size) at = shuffle(at);
    return at;
  };
}

function roundKeys(seed: number, a: number, b: number): Int32Array {
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
  return Int32Array.from([...philox([a, b, 0, STREAM], key), ...philox([a, b, 1, STREAM], key)]);
}

/** The finaliser of MurmurHash3: every bit depends on every other. */
function mix(word: number): number {
  let hash = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
