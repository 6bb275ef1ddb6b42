/**
 * Generalised advantage estimation over the tokens that the policy chose. Tokens that a tool
 * forced are part of the world: they are stepped over, and the value after a choice is that before
 * the next choice.
 *
 * @see Schulman et al. 2016, eq. 16
 */

export interface Episode {
  /** Of each target; 0 where the policy chose nothing. */
  readonly rewards: Float32Array;
  /** Value before each target. */
  readonly values: Float32Array;
  /** 1 where the policy chose the target. */
  readonly mask: Uint8Array;
}

export interface EpisodeAdvantages {
  /** Both 0 where the policy chose nothing. */
  readonly advantages: Float32Array;
  readonly returns: Float32Array;
}

/** δ_t = r_t + γ·V_{t+1} - V_t, A_t = δ_t + γλ·A_{t+1}; V is 0 after the last choice. */
export function estimateAdvantages(
  { rewards, values, mask }: Episode,
  gamma: number,
  lambda: number,
): EpisodeAdvantages {
  const advantages = new Float32Array(rewards.length);
  const returns = new Float32Array(rewards.length);
  let [nextValue, nextAdvantage] = [0, 0];
  for (let t = rewards.length - 1; t >= 0; t--) {
    if (mask[t] !== 1) continue;
    const value = values[t] as number;
    const delta = (rewards[t] as number) + gamma * nextValue - value;
    nextAdvantage = delta + gamma * lambda * nextAdvantage;
    nextValue = value;
    advantages[t] = nextAdvantage;
    returns[t] = nextAdvantage + value;
  }
  return { advantages, returns };
}
