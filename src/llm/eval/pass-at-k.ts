/**
 * pass@k: how likely one of k replies solves a problem, from n ≥ k replies of which c did. Unbiased,
 * where counting "any of the first k" has more variance and 1 - (1 - c/n)^k is biased.
 */

/**
 * @param n replies  @param c right ones among them  @param k in [1, n]
 * @returns 1 - C(n - c, k) / C(n, k), as a product that does not overflow
 * @see Chen et al. 2021, "Evaluating Large Language Models Trained on Code", eq. 1
 */
export function passAtK(n: number, c: number, k: number): number {
  if (n - c < k) return 1;
  let allWrong = 1;
  for (let i = n - c + 1; i <= n; i++) allWrong *= 1 - k / i;
  return 1 - allWrong;
}

/** 1, 2, 4, … up to the number of replies, which is always the last. */
export function passSizes(samples: number): number[] {
  const sizes: number[] = [];
  for (let k = 1; k < samples; k *= 2) sizes.push(k);
  return [...sizes, samples];
}
