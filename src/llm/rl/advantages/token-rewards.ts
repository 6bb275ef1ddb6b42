/**
 * Rewards of single tokens, as PPO wants them: the sample's reward on the last token that the
 * policy chose, and on each of them -β·(ln p - ln p_ref), so that leaving the reference costs
 * where it happens. @see Ziegler et al. 2019, eq. 2; Ouyang et al. 2022
 */

export interface ChosenTokens {
  /** Of the policy that sampled, by target; at temperature 1, whatever it sampled at. */
  readonly logprobs: Float32Array;
  /** Absent: β is 0. */
  readonly referenceLogprobs: Float32Array | undefined;
  /** 1 where the policy chose the target. */
  readonly mask: Uint8Array;
}

export function tokenRewards(tokens: ChosenTokens, reward: number, beta: number): Float32Array {
  const rewards = new Float32Array(tokens.mask.length);
  for (let t = 0; t < rewards.length; t++)
    if (tokens.mask[t] === 1) rewards[t] = -beta * logRatioAt(tokens, t);
  const last = tokens.mask.lastIndexOf(1);
  if (last >= 0) rewards[last] = (rewards[last] as number) + reward;
  return rewards;
}

/**
 * Σ (ln p - ln p_ref) over the chosen tokens: one sample's estimate of KL(policy ‖ reference),
 * unbiased when it was sampled at temperature 1.
 */
export function sampleKl(tokens: ChosenTokens): number {
  let total = 0;
  for (let t = 0; t < tokens.mask.length; t++)
    if (tokens.mask[t] === 1) total += logRatioAt(tokens, t);
  return total;
}

function logRatioAt({ logprobs, referenceLogprobs }: ChosenTokens, t: number): number {
  if (referenceLogprobs === undefined) return 0;
  return (logprobs[t] as number) - (referenceLogprobs[t] as number);
}
