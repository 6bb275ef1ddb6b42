/** pass@1: the share of held-out problems that one sampled reply solves. */
import type { BatchGenerator } from "../inference/batch-generator.ts";
import { type Share, wilson } from "../run/wilson.ts";
import type { Problem } from "../tasks/task.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { RunConfig } from "./complete-config.ts";
import { rollOut } from "./rollout.ts";

/** Streams of rollouts are numbered by step; no run has as many steps as this. */
const EVALUATION = 0x80000000;

/**
 * The same problems and the same random numbers each time, so that two measurements differ by the
 * weights alone. @returns undefined when `signal` aborts in between
 */
export async function measurePassRate(
  generator: BatchGenerator,
  tokenizer: Tokenizer,
  problems: readonly Problem[],
  { maxTokens, temperature, seed }: RunConfig,
  signal: AbortSignal,
): Promise<Share | undefined> {
  const options = { samplesPerPrompt: 1, maxTokens, temperature, seed, stream: EVALUATION };
  const groups = await rollOut(generator, tokenizer, problems, options, signal);
  if (groups === undefined) return undefined;
  const solved = groups.filter(({ rollouts }) => (rollouts[0]?.grade ?? 0) >= 1).length;
  return wilson(solved, problems.length);
}
