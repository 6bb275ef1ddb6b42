/** What `--algorithm` takes; what each one does is in `algorithms.ts`. */

export type AlgorithmName = "ppo" | "grpo" | "rloo" | "reinforce" | "dpo" | "best-of-n" | "star";

export const algorithmNames: readonly AlgorithmName[] = [
  ...(["ppo", "grpo", "rloo", "reinforce"] as const),
  ...(["dpo", "best-of-n", "star"] as const),
];
