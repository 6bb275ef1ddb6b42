/**
 * A policy at its desk: it answers problems, and each reply comes back with its gold reward, the
 * proxy's reward and its own estimate of how far the policy is from the start model.
 */
import type { Backend } from "../../src/compute/backend.ts";
import { chooseBackend } from "../../src/compute/backends/choose.node.ts";
import { createBatchGenerator } from "../../src/llm/inference/batch-generator.ts";
import { createLogprobScorer } from "../../src/llm/inference/logprobs.ts";
import { openRewardModel } from "../../src/llm/inference/open-reward-model.node.ts";
import type { Precision } from "../../src/llm/model/transformer.ts";
import { sampleKl } from "../../src/llm/rl/advantages/token-rewards.ts";
import { gatherExperience } from "../../src/llm/rl/experience.ts";
import { rewardGroups } from "../../src/llm/rl/rewards.ts";
import { type Rollout, rollOut } from "../../src/llm/rl/rollout.ts";
import { openModel } from "../../src/llm/run/open-model.node.ts";
import type { Problem } from "../../src/llm/tasks/task.ts";
import type { Tokenizer } from "../../src/llm/tokenizer/tokenizer.ts";
import { type ExperimentValues, MAX_TOKENS } from "./plan.ts";

export interface Reply {
  readonly text: string;
  readonly gold: number;
  /** 0 without a proxy. */
  readonly proxy: number;
  /** ln p - ln p_start of the whole reply: on average KL(policy ‖ start), in nats. */
  readonly kl: number;
  /** It came to its own end. */
  readonly ended: boolean;
}

export interface DeskFolders {
  readonly policy: string;
  /** Where KL is measured from. */
  readonly start: string;
  readonly proxy?: string;
}

export interface Desk extends AsyncDisposable {
  /**
   * @param stream tells apart what is drawn under one seed
   * @returns `count` replies to each problem; undefined when `signal` aborts in between
   */
  answer(
    problems: readonly Problem[],
    count: number,
    stream: number,
    signal: AbortSignal,
  ): Promise<Reply[][] | undefined>;
}

/** Texts at once, and rows of a batch that is only read. */
const [SLOTS, ROWS] = [64, 32] as const;

type DeskValues = Pick<ExperimentValues, "backend" | "threads" | "seed">;

/** @throws CHECKPOINT when a folder holds no model */
export async function openDesk(folders: DeskFolders, values: DeskValues): Promise<Desk> {
  const backend = await chooseBackend(values.backend, values, () => {});
  try {
    return await assemble(folders, backend, values.seed);
  } catch (error) {
    backend.dispose();
    throw error;
  }
}

async function assemble(folders: DeskFolders, backend: Backend, seed: number): Promise<Desk> {
  const [policy, start] = [await openModel(folders.policy), await openModel(folders.start)];
  const { tokenizer } = policy;
  const { config } = policy.checkpoint;
  const [store, frozen] = [backend.createStore(), backend.createStore()];
  await policy.checkpoint.loadParameters(store);
  await start.checkpoint.loadParameters(frozen);
  const proxy = folders.proxy && (await openRewardModel(folders.proxy, backend, ROWS));
  const precision: Precision = backend.description.includes("bf16") ? "bf16" : "f32";
  const { sequenceLen: T } = config;
  const reference = await createLogprobScorer(backend, frozen, config, { B: ROWS, T, precision });
  const { vocabSize } = tokenizer;
  const generator = createBatchGenerator(backend, store, config, {
    ...{ precision, slots: SLOTS, vocabSize },
  });
  return {
    async answer(problems, count, stream, signal) {
      const options = { samplesPerPrompt: count, maxTokens: MAX_TOKENS, temperature: 1 };
      const drawn = { ...options, seed, stream };
      const groups = await rollOut(generator, tokenizer, problems, drawn, signal);
      if (groups === undefined) return undefined;
      const scored = await rewardGroups(groups, rules, proxy || undefined);
      const samples = await gatherExperience(scored, reference, true, undefined);
      return samples.map((group) =>
        group.map((sample) => ({
          ...read(sample.rollout, tokenizer),
          ...{ proxy: sample.reward, kl: sampleKl(sample) },
        })),
      );
    },
    async [Symbol.asyncDispose]() {
      for (const owned of [generator, reference, proxy || undefined]) await owned?.dispose();
      for (const owned of [store, frozen, backend]) owned.dispose();
    },
  };
}

/** The proxy's number as it is. */
const rules = {
  reward: "model",
  rewardModelWeight: 1,
  maxTokens: MAX_TOKENS,
  lengthPenalty: 0,
  missingEndPenalty: 0,
} as const;

function read(
  { trajectory, grade, truncated }: Rollout,
  tokenizer: Tokenizer,
): Pick<Reply, "text" | "gold" | "ended"> {
  const ids = trajectory.ids.subarray(trajectory.promptLength);
  return { text: tokenizer.decode(ids), gold: grade, ended: !truncated };
}
