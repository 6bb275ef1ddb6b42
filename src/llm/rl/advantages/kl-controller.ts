/**
 * Keeps the KL to the reference near a target by moving its weight β, in proportion to how far it
 * is off and never by more than 2 % a step.
 *
 * @see Ziegler et al. 2019, §2.2
 */

const [MOST, RATE] = [0.2, 0.1];

/**
 * @param kl of the step's samples, in nats a sample  @param target absent: β stays
 * @returns the next β
 */
export function nextKlWeight(beta: number, kl: number, target: number | undefined): number {
  if (target === undefined) return beta;
  const error = Math.min(MOST, Math.max(-MOST, kl / target - 1));
  return beta * (1 + RATE * error);
}
