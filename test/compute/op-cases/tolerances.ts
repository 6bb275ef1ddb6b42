/**
 * How far a compiled op may be from the reference, relative to the tensor's largest element, for
 * its outputs and its gradients. f32: the reference sums in f64, compiled code in f32. bf16: both
 * compute alike on rounded inputs; where a result is stored as bf16, a difference in the last f32
 * bit may fall on the other side of a tie, which is one part in 128.
 */
import type { Variant } from "./case.ts";

type Tolerance = Readonly<Record<Variant, number>>;

/** No arithmetic: copies, comparisons, and random bits. */
const exact: Tolerance = { f32: 0, bf16: 0 };
/** One correctly rounded operation; gradients of broadcast operands are sums. */
const rounded: Tolerance = { f32: 1e-6, bf16: 1e-6 };
/** Polynomials for exp, tanh, sigmoid: two units in the last place. */
const approximate: Tolerance = { f32: 2e-6, bf16: 2e-6 };
const flips = 8e-3;

export const tolerances: Readonly<Record<string, Tolerance>> = {
  input: exact,
  state: exact,
  constant: rounded,
  add: rounded,
  sub: rounded,
  mul: rounded,
  div: rounded,
  maximum: rounded,
  minimum: rounded,
  less: exact,
  equal: exact,
  select: rounded,
  neg: exact,
  abs: exact,
  exp: approximate,
  log: approximate,
  sqrt: rounded,
  tanh: approximate,
  sigmoid: approximate,
  cast: exact,
  reshape: exact,
  broadcast: rounded,
  transpose: exact,
  slice: exact,
  pad: exact,
  sum: rounded,
  max: rounded,
  sumSquares: rounded,
  matmul: { f32: 2e-6, bf16: flips },
  linearCrossEntropy: { f32: 4e-6, bf16: flips },
  linearCrossEntropyGrad: { f32: 4e-6, bf16: flips },
  // Few rows: x in 16 bits of its block's largest number. Many: weights are rounded to bf16.
  quantLinear: { f32: 6e-5, bf16: flips },
  dequantize: rounded,
  rmsNorm: { f32: 2e-6, bf16: flips },
  rmsNormGrad: { f32: 4e-6, bf16: flips },
  rope: { f32: 2e-6, bf16: flips },
  attention: { f32: 4e-6, bf16: flips },
  attentionGrad: { f32: 1e-5, bf16: 2 * flips },
  embedding: rounded,
  embeddingGrad: rounded,
  writeRows: exact,
  adamw: { f32: 2e-6, bf16: 2e-6 },
  randomUniform: exact,
  allowIds: { f32: 4e-6, bf16: 4e-6 },
  sampleRows: { f32: 4e-6, bf16: 4e-6 },
};
