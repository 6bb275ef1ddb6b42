/**
 * Rollouts: replies of the policy to a step's prompts, tool calls run on the way, graded by the
 * task's own program. All of it is a function of (seed, step, weights): problems and random numbers
 * are drawn by counter.
 */
import { philox } from "../../compute/philox.ts";
import { parseReply, renderPrompt } from "../chat/template.ts";
import { createToolLoop } from "../chat/tool-loop.ts";
import type { BatchGenerator, BatchRequest, Trajectory } from "../inference/batch-generator.ts";
import type { Problem, Split, Task } from "../tasks/task.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

export interface Rollout {
  readonly trajectory: Trajectory;
  /** The program's grade, 0 … 1. */
  readonly grade: number;
  readonly wellFormed: boolean;
  /** The reply did not come to its end by itself. */
  readonly truncated: boolean;
}

/** The rollouts of one prompt. */
export interface RolloutGroup {
  readonly problem: Problem;
  readonly rollouts: readonly Rollout[];
}

export interface RolloutOptions {
  readonly samplesPerPrompt: number;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly seed: number;
  /** Tells apart what is drawn with one seed: steps, evaluations. */
  readonly stream: number;
}

/** Problem i of several tasks taken in turns. */
export function drawProblems(
  tasks: readonly Task[],
  first: number,
  count: number,
  split: Split,
  seed: number,
): Problem[] {
  return Array.from({ length: count }, (_, i) => {
    const task = tasks[(first + i) % tasks.length] as Task;
    return task.problem(Math.floor((first + i) / tasks.length), split, seed);
  });
}

/** @returns undefined when `signal` aborts in between */
export async function rollOut(
  generator: BatchGenerator,
  tokenizer: Tokenizer,
  problems: readonly Problem[],
  options: RolloutOptions,
  signal: AbortSignal,
): Promise<RolloutGroup[] | undefined> {
  const { samplesPerPrompt: G } = options;
  const requests = problems.flatMap((problem, p) => {
    const prompt = renderPrompt(problem.prompt, tokenizer);
    return Array.from({ length: G }, (_, g) => request(prompt, problem, p * G + g));
  });
  const found = new Array<Rollout>(requests.length);
  for await (const { index, trajectory } of generator.generate(requests, { signal })) {
    const problem = problems[Math.floor(index / G)] as Problem;
    found[index] = gradeTrajectory(trajectory, problem, tokenizer);
  }
  if (signal.aborted) return undefined;
  return problems.map((problem, p) => ({ problem, rollouts: found.slice(p * G, (p + 1) * G) }));

  function request(prompt: readonly number[], problem: Problem, index: number): BatchRequest {
    const { maxTokens, temperature, seed, stream } = options;
    const [word] = philox([index, stream, 0, 0], [seed >>> 0, REQUESTS]) as [number];
    const follow = createToolLoop(tokenizer, problem.context);
    return { prompt, seed: word, maxTokens, temperature, follow };
  }
}

/** Philox key of the requests' seeds. */
const REQUESTS = 0x726f6c6c;

function gradeTrajectory(trajectory: Trajectory, problem: Problem, tokenizer: Tokenizer): Rollout {
  const reply = Array.from(trajectory.ids.subarray(trajectory.promptLength));
  const { messages, wellFormed } = parseReply(reply, tokenizer);
  return {
    trajectory,
    grade: problem.grade(messages),
    wellFormed,
    truncated: trajectory.finishReason !== "stop",
  };
}

/** Tokens that the policy chose. */
export function sampledCount({ trajectory }: Rollout): number {
  return trajectory.sampled.reduce((sum, sampled) => sum + sampled, 0);
}
