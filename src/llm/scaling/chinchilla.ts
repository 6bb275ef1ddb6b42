/**
 * The Chinchilla loss law, L(N, D) = E + A / N^alpha + B / D^beta, and the split of a compute
 * budget C = 6 N D that minimises it. N parameters, D training tokens, L in nats per token.
 *
 * Three published sets of coefficients of the same law and the same data are kept. They disagree
 * on the split: only Epoch's agrees with the 20 tokens per parameter that the paper itself trained
 * Chinchilla with, so it is the default. The law belongs to that data and tokenizer (models of
 * 70 M to 16 B parameters); outside, and for other text, it is a guide.
 *
 * @see Hoffmann et al. 2022, arXiv 2203.15556, appendix D.3; Besiroglu et al. 2024, 2404.10102
 */

export interface LossFit {
  readonly E: number;
  readonly A: number;
  readonly B: number;
  readonly alpha: number;
  readonly beta: number;
  readonly source: string;
}

export type FitName = "epoch" | "hoffmann" | "hoffmann-tex";

export const lossFits: Readonly<Record<FitName, LossFit>> = {
  epoch: {
    E: 1.8172,
    A: 482.01,
    B: 2085.43,
    alpha: 0.3478,
    beta: 0.3658,
    source: "Besiroglu et al. 2024, a new fit of Hoffmann's data",
  },
  hoffmann: {
    E: 1.69,
    A: 406.4,
    B: 410.7,
    alpha: 0.34,
    beta: 0.28,
    source: "Hoffmann et al. 2022, as printed",
  },
  "hoffmann-tex": {
    E: 1.69337368,
    A: 406.401018,
    B: 410.722827,
    alpha: 0.33917084,
    beta: 0.2849083,
    source: "Hoffmann et al. 2022, at the precision of its TeX source",
  },
};

/** Smallest and largest model in the data behind the fits, in parameters. */
export const fittedParams = { min: 70e6, max: 16e9 } as const;

/** A model size and a number of training tokens. */
export interface Split {
  readonly params: number;
  readonly tokens: number;
}

/** @returns predicted loss in nats per token */
export function predictLoss(fit: LossFit, { params, tokens }: Split): number {
  return fit.E + fit.A / params ** fit.alpha + fit.B / tokens ** fit.beta;
}

/** The split of `flops` = 6 N D with the lowest predicted loss. */
export function optimalSplit(fit: LossFit, flops: number): Split {
  const { G, share } = optimum(fit);
  const params = G * (flops / 6) ** share;
  return { params, tokens: flops / 6 / params };
}

/** The number of tokens for which `params` is the optimal size. */
export function optimalTokens(fit: LossFit, params: number): number {
  const { G, share } = optimum(fit);
  return (params / G) ** (1 / share) / params;
}

/** Closed form: N* = G (C/6)^share, from setting the derivative along 6 N D = C to zero. */
function optimum({ A, B, alpha, beta }: LossFit): { G: number; share: number } {
  return {
    G: ((alpha * A) / (beta * B)) ** (1 / (alpha + beta)),
    share: beta / (alpha + beta),
  };
}
