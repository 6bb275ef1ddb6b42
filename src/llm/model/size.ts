/** How large a model is and what a token costs: parameter counts and floating-point operations. */
import { sizeOf } from "../../compute/shape.ts";
import type { ModelConfig } from "./config.ts";
import { type ParameterRole, parameterSpecs } from "./parameters.ts";

export interface ParameterCounts {
  readonly total: number;
  readonly embedding: number;
  /** Parameters of the output head's product, also when it is the embedding table. */
  readonly head: number;
  /** Matrices of the blocks. */
  readonly matrices: number;
  readonly gains: number;
}

export function countParameters(config: ModelConfig): ParameterCounts {
  const counts: Record<ParameterRole, number> = { embedding: 0, head: 0, matrix: 0, gain: 0 };
  for (const { role, shape } of parameterSpecs(config)) counts[role] += sizeOf(shape);
  return {
    total: counts.embedding + counts.head + counts.matrix + counts.gain,
    embedding: counts.embedding,
    head: config.tiedEmbeddings ? counts.embedding : counts.head,
    matrices: counts.matrix,
    gains: counts.gain,
  };
}

export interface FlopsPerToken {
  /** 6 · parameters that multiply a token (matrices and head): forward 2, backward 4. */
  readonly matmul: number;
  /** 12 · L · H·D · T: every query against every key, as published MFU figures count. */
  readonly attention: number;
  /** The same without the masked half: what causal kernels do. */
  readonly causalAttention: number;
  /** matmul + attention. */
  readonly total: number;
  readonly causalTotal: number;
}

/**
 * Training FLOPs (multiply and add count as two) of one token at context T.
 * @see Kaplan et al. 2020, §2.1; Chowdhery et al. 2022 (PaLM), appendix B
 */
export function flopsPerToken(config: ModelConfig, T: number = config.sequenceLen): FlopsPerToken {
  const { head, matrices } = countParameters(config);
  const perKey = 12 * config.nLayer * config.nHead * config.headDim;
  const window = Math.min(config.window ?? T, T);
  // Query t sees min(t + 1, window) keys; the mean over t = 0 … T - 1.
  const seen = (window * (window + 1)) / 2 + (T - window) * window;
  const matmul = 6 * (head + matrices);
  const attention = perKey * window;
  const causalAttention = (perKey * seen) / T;
  return {
    matmul,
    attention,
    causalAttention,
    total: matmul + attention,
    causalTotal: matmul + causalAttention,
  };
}
