/**
 * Arithmetic of training. Each parameter is one multiply and one add per token forward and twice
 * that backward: 6 N D. Attention over the context comes on top and is counted apart, because
 * published rates of use (MFU) of large runs follow from 6 N D alone.
 *
 * @see Kaplan et al. 2020, arXiv 2001.08361, section 2.1; Chowdhery et al. 2022, appendix B
 */
import type { Split } from "./chinchilla.ts";

/** FLOPs of one pass over `tokens`, attention left out: 6 N D. */
export function trainingFlops({ params, tokens }: Split): number {
  return 6 * params * tokens;
}

/** Layers and width, as far as attention needs them. */
export interface ModelShape {
  readonly nLayer: number;
  readonly nEmbd: number;
}

/** Width over layers of LLaMA 7B and 13B. */
const ASPECT = 128;

/** The shape that N = 12 L C² gives at the usual aspect ratio, C = 128 L. */
export function likelyShape(params: number): ModelShape {
  const nLayer = Math.max(1, Math.round((params / (12 * ASPECT ** 2)) ** (1 / 3)));
  return { nLayer, nEmbd: Math.sqrt(params / (12 * nLayer)) };
}

/** Context about as long as the model is wide, a power of two, 128 to 4,096 tokens. */
export function likelySequenceLen({ nEmbd }: ModelShape): number {
  return Math.min(4096, Math.max(128, 2 ** Math.round(Math.log2(nEmbd))));
}

/**
 * FLOPs of q·kᵀ and of weights·v, forward and backward: 12 L C T per token with every key
 * counted, as MFU does by convention. A causal kernel does half of it.
 * @param sequenceLen T, tokens of context
 */
export function attentionFlops(shape: ModelShape, sequenceLen: number, tokens: number): number {
  return 12 * shape.nLayer * shape.nEmbd * sequenceLen * tokens;
}
