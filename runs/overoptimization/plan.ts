/**
 * How large each part of the experiment is, and what its stages are told. Everything follows from
 * the values of the command line, so that a second start finds the same plan.
 */
import { join } from "node:path";
import type { BackendChoice } from "../../src/compute/backends/choose.node.ts";
import { type PretrainConfig, pretrainOptions } from "../../src/llm/pretrain/config.ts";
import { presets as pretrainPresets } from "../../src/llm/pretrain/presets.ts";
import { type RewardConfig, rewardOptions } from "../../src/llm/reward/config.ts";
import { presets as rewardPresets } from "../../src/llm/reward/presets.ts";
import { type RlConfig, rlOptions } from "../../src/llm/rl/config.ts";
import { drawProblems } from "../../src/llm/rl/rollout.ts";
import { type SftConfig, sftOptions } from "../../src/llm/sft/config.ts";
import { sftPresets } from "../../src/llm/sft/presets.ts";
import type { Problem, Split } from "../../src/llm/tasks/task.ts";
import { resolveOptions } from "../../src/options.ts";
import { storyTask } from "./story-task.ts";

export interface ExperimentValues {
  model: string | undefined;
  out: string;
  quick: boolean;
  rankings: number | undefined;
  noise: number;
  kl: string;
  seed: number;
  backend: BackendChoice;
  threads: number | undefined;
}

interface Sizes {
  readonly stories: number;
  readonly pretrainSteps: number;
  readonly lessons: number;
  readonly sftSteps: number;
  /** Prompts whose replies are ranked to learn the proxy from, and to measure it with. */
  readonly rankings: number;
  readonly heldRankings: number;
  readonly bestOfPrompts: number;
  readonly bestOfReplies: number;
  readonly ppoSteps: number;
  /** Steps between two places where the policy is measured. */
  readonly ppoEvery: number;
  readonly measurePrompts: number;
  readonly measureReplies: number;
}

const sizes: Readonly<Record<"full" | "quick", Sizes>> = {
  full: {
    ...{ stories: 6000, pretrainSteps: 500, lessons: 12_000, sftSteps: 250 },
    ...{ rankings: 300, heldRankings: 200 },
    ...{ bestOfPrompts: 64, bestOfReplies: 256 },
    ...{ ppoSteps: 64, ppoEvery: 4, measurePrompts: 64, measureReplies: 6 },
  },
  quick: {
    ...{ stories: 2000, pretrainSteps: 200, lessons: 4000, sftSteps: 100 },
    ...{ rankings: 150, heldRankings: 60 },
    ...{ bestOfPrompts: 24, bestOfReplies: 64 },
    ...{ ppoSteps: 40, ppoEvery: 5, measurePrompts: 32, measureReplies: 4 },
  },
};

/** Answers of one ranking. */
export const RANKED = 4;
/** Sampled tokens of a reply; lessons are shorter. */
export const MAX_TOKENS = 80;
const CONTEXT = 128;
/** Replies that a reader sees: the first of the seed. */
export const SHOWN = 5;
/** Random numbers, one stream a purpose, far apart. */
export const STREAMS = { ranking: 0x100000, bestOfN: 0x200000, measure: 0x300000 } as const;

export interface Plan {
  readonly values: ExperimentValues;
  readonly sizes: Sizes;
  /** Weights of the KL penalty, one PPO run each. */
  readonly klWeights: readonly number[];
  readonly files: Readonly<Record<"stories" | "lessons" | "rankings", string>>;
  readonly pretrain: PretrainConfig;
  readonly sft: SftConfig;
  readonly reward: RewardConfig;
  ppo(klWeight: number): RlConfig;
}

/** The first `count` problems of a side; the proxy learns from one, all is measured on the other. */
export function problemsOf({ values }: Plan, split: Split, count: number): Problem[] {
  return drawProblems([storyTask], 0, count, split, values.seed);
}

export function planExperiment(values: ExperimentValues): Plan {
  const { out, model, quick, rankings, seed, backend, threads } = values;
  const own = sizes[quick ? "quick" : "full"];
  const size = { ...own, rankings: rankings ?? own.rankings };
  const files = {
    stories: join(out, "stories.jsonl"),
    lessons: join(out, "lessons.jsonl"),
    rankings: join(out, "rankings.jsonl"),
  };
  const dials = { seed, backend, ...(threads === undefined ? {} : { threads }) };
  const folder = (name: string): string => join(out, name);
  const layers = (preset: object, asked: object) => [
    { from: "preset tiny", values: preset as Record<string, unknown> },
    { from: "overoptimization", values: { ...dials, ...asked } },
  ];
  return {
    ...{ values, files, sizes: size },
    klWeights: values.kl.split(",").map(Number),
    pretrain: resolveOptions(
      pretrainOptions,
      ...layers(pretrainPresets.tiny.values, {
        ...{ out: folder("1-pretrain"), data: files.stories, clean: "off", evals: "off" },
        ...{ vocabSize: 2048, sequenceLen: CONTEXT, batchSize: 16, steps: size.pretrainSteps },
        ...{ warmup: 50, warmdown: undefined },
        ...{ evalEvery: size.pretrainSteps, sampleEvery: size.pretrainSteps },
        saveEvery: size.pretrainSteps,
      }),
    ),
    sft: resolveOptions(
      sftOptions,
      ...layers(sftPresets.tiny.values, {
        ...{ model: model ?? folder("1-pretrain"), out: folder("2-sft"), data: files.lessons },
        ...{ conversations: undefined, sequenceLen: CONTEXT, batchSize: 16 },
        ...{ optimizer: "muon", lr: 0.005, muonLr: 0.006, warmup: 10, warmdown: undefined },
        ...{ steps: size.sftSteps, evalEvery: size.sftSteps, saveEvery: size.sftSteps },
        sampleEvery: size.sftSteps,
      }),
    ),
    reward: resolveOptions(
      rewardOptions,
      ...layers(rewardPresets.tiny.values, {
        ...{ model: folder("2-sft"), out: folder("4-reward"), data: files.rankings },
        ...{ sequenceLen: CONTEXT, maxResponses: RANKED, heldOut: size.heldRankings },
      }),
    ),
    ppo: (klWeight) =>
      resolveOptions(
        rlOptions,
        ...layers(
          {},
          {
            ...{ model: folder("2-sft"), out: folder(`6-ppo-kl-${klWeight}`), task: "story" },
            ...{ algorithm: "ppo", reward: "model", rewardModel: folder("4-reward") },
            ...{ kl: klWeight, sequenceLen: 112, maxTokens: MAX_TOKENS, slots: 64 },
            ...{ steps: size.ppoSteps, promptsPerStep: 16, samplesPerPrompt: 4, batchSize: 32 },
            ...{ epochs: 1, minibatches: 2, lr: 3e-4, warmup: 5, warmdown: 1, vf: 0.1 },
            ...{ evalEvery: size.ppoSteps, evalProblems: 32, saveEvery: size.ppoEvery },
            ...{ keep: size.ppoSteps, logEvery: 4 },
          },
        ),
      ),
  };
}
