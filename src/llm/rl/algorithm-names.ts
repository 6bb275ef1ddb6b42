/** What `--algorithm` takes; what each one does is in `algorithms.ts`. */
export const algorithmNames = [
  ...(["ppo", "grpo", "rloo", "reinforce"] as const),
  ...(["dpo", "best-of-n", "star"] as const),
] as const;

export type AlgorithmName = (typeof algorithmNames)[number];
